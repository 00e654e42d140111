/* Which files the symbolizer's owner opens because a hostile file named them. */
#include "symbolizer/debug_files.h"

#include "base/cleanup.h"
#include "temporary_folder.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

struct fixture {
    char folder[FOLDER_LEN], exe[128];
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    char path[256];
    assert_non_null(fixture);
    temporary_folder_make(fixture->folder);
    snprintf(fixture->exe, sizeof(fixture->exe), "%s/app", fixture->folder);
    snprintf(path, sizeof(path), "%s/.debug", fixture->folder);
    assert_int_equal(mkdir(path, 0700), 0);
    temporary_folder_write(fixture->folder, "app", "app");
    temporary_folder_write(fixture->folder, "app.dwp", "app.dwp");
    temporary_folder_write(fixture->folder, "unit.dwo", "unit.dwo");
    temporary_folder_write(fixture->folder, ".debug/hidden.debug", ".debug/hidden.debug");
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    temporary_folder_remove(fixture->folder);
    free(fixture);
    return 0;
}

/* What the file that is found contains: its name; or the error. */
static int find(const struct fixture *fixture, enum module_file_kind kind, const char *name, char *ret_text,
                size_t size)
{
    struct debug_file_places places = {.exe = fixture->exe};
    OWNED_FD int fd = debug_file_find(&places, kind, name);
    if (fd < 0)
        return fd;
    ssize_t len = read(fd, ret_text, size - 1);
    assert_true(len >= 0);
    ret_text[len] = '\0';
    return 0;
}

static void assert_found(const struct fixture *fixture, enum module_file_kind kind, const char *name,
                         const char *wanted)
{
    char text[64];
    assert_int_equal(find(fixture, kind, name, text, sizeof(text)), 0);
    assert_string_equal(text, wanted);
}

static void assert_refused(const struct fixture *fixture, enum module_file_kind kind, const char *name)
{
    char text[64];
    assert_true(find(fixture, kind, name, text, sizeof(text)) < 0);
}

static void test_finds_what_stands_beside_the_program(void **state)
{
    const struct fixture *fixture = *state;
    char path[128];
    snprintf(path, sizeof(path), "%s/unit.dwo", fixture->folder);
    assert_found(fixture, MODULE_FILE_DWP, "", "app.dwp");
    assert_found(fixture, MODULE_FILE_DWO, path, "unit.dwo");
    assert_found(fixture, MODULE_FILE_DEBUGLINK, "unit.dwo", "unit.dwo");
    assert_found(fixture, MODULE_FILE_DEBUGLINK, "hidden.debug", ".debug/hidden.debug");
}

static void test_links_name_no_other_folder(void **state)
{
    const struct fixture *fixture = *state;
    assert_refused(fixture, MODULE_FILE_DEBUGLINK, "../../etc/passwd");
    assert_refused(fixture, MODULE_FILE_DEBUGLINK, "/etc/passwd");
    assert_refused(fixture, MODULE_FILE_DEBUGLINK, "");
    assert_refused(fixture, MODULE_FILE_BUILD_ID, "../../../etc/passwd");
    assert_refused(fixture, MODULE_FILE_BUILD_ID, "ab");
    assert_refused(fixture, MODULE_FILE_DWO, "relative.dwo");
}

static void test_only_regular_files_are_opened(void **state)
{
    const struct fixture *fixture = *state;
    char path[128];
    snprintf(path, sizeof(path), "%s/pipe", fixture->folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_refused(fixture, MODULE_FILE_DWO, path); /* and does not wait for a writer */
    assert_refused(fixture, MODULE_FILE_DWO, fixture->folder);
    assert_refused(fixture, MODULE_FILE_DWO, "/dev/zero");
    assert_refused(fixture, MODULE_FILE_DWO, "/proc/self/fd/0");
}

static void test_targets_see_their_own_root(void **state)
{
    const struct fixture *fixture = *state;
    struct debug_file_places places = {.exe = fixture->exe, .pid = getpid()};
    OWNED_FD int fd = debug_file_find(&places, MODULE_FILE_DWP, "");
    assert_true(fd >= 0);
    places.pid = 0x7ffffff0; /* nobody's */
    assert_true(debug_file_find(&places, MODULE_FILE_DWP, "") < 0);
}

/* Root opens files on behalf of a target as the target's owner would. */
static void test_rights_are_the_owners(void **state)
{
    const struct fixture *fixture = *state;
    if (geteuid() != 0) {
        print_message("SKIPPED: only root can open files as somebody else would\n");
        skip();
    }
    char path[128];
    snprintf(path, sizeof(path), "%s/app.dwp", fixture->folder);
    assert_int_equal(chmod(fixture->folder, 0755), 0);
    assert_int_equal(chmod(path, 0600), 0);
    int said[2];
    char byte;
    assert_int_equal(pipe2(said, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        /* Its /proc entries are the owner's only after an exec. */
        if (dup2(said[1], STDOUT_FILENO) >= 0 && setgid(65534) == 0 && setuid(65534) == 0)
            execl("/bin/sh", "sh", "-c", "echo; exec sleep 30", (char *)NULL);
        _exit(1);
    }
    close(said[1]);
    assert_int_equal(read(said[0], &byte, 1), 1);
    struct debug_file_places places = {.exe = fixture->exe, .pid = pid};
    int fd = debug_file_find(&places, MODULE_FILE_DWP, "");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(said[0]);
    assert_int_equal(fd, -EACCES);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_finds_what_stands_beside_the_program),
        TEST(test_links_name_no_other_folder),
        TEST(test_only_regular_files_are_opened),
        TEST(test_targets_see_their_own_root),
        TEST(test_rights_are_the_owners),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
