/* Source frames from every shape of debug info that rustc and its tools make of one small library. */
#include "dwarf/module.h"

#include "base/cleanup.h"
#include "base/md5.h"
#include "dwarf/elf_image.h"
#include "temporary_folder.h"

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>

static const char source[] = "#![no_std]\n" /* 1 */
                             "#[panic_handler] fn panic(_: &core::panic::PanicInfo) -> ! { loop {} }\n"
                             "mod deep {\n"
                             "    #[inline(always)]\n"
                             "    pub fn inner(x: u64) -> u64 {\n"
                             "        let mut hash = x;\n"
                             "        for i in 0..core::hint::black_box(10) {\n"
                             "            hash = hash.rotate_left(5) ^ core::hint::black_box(i);\n" /* 8 */
                             "        }\n"
                             "        hash\n"
                             "    }\n"
                             "}\n"
                             "#[no_mangle]\n"
                             "#[inline(never)]\n"
                             "pub fn victim(x: u64) -> u64 {\n"
                             "    let twice = core::hint::black_box(x);\n"
                             "    deep::inner(twice) + 1\n" /* 17 */
                             "}\n"
                             "#[no_mangle]\n"
                             "pub fn malloc(x: usize) -> usize { core::hint::black_box(x) }\n";

enum { LINE_LOOP = 8, LINE_CALL = 17 };

/* A folder of its own for each test program, gone with it. */
struct fixture {
    char folder[FOLDER_LEN];
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    assert_non_null(fixture);
    temporary_folder_make(fixture->folder);
    temporary_folder_write(fixture->folder, "shape.rs", source);
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

static void shell(const struct fixture *fixture, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void shell(const struct fixture *fixture, const char *format, ...)
{
    char command[1024], full[1280];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof(command), format, args);
    va_end(args);
    snprintf(full, sizeof(full), "cd %s && { %s; } >log 2>&1 || { cat log >&2; false; }", fixture->folder,
             command);
    int status = system(full);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* Builds the library `name` with more flags of rustc. */
static void build(const struct fixture *fixture, const char *name, const char *flags)
{
    shell(fixture,
          RUSTC
          " --edition 2021 --crate-type cdylib --crate-name shape -O -C panic=abort -C link-arg=-nostdlib"
          " -C link-arg=-Wl,--build-id %s -o %s shape.rs",
          flags, name);
}

/* Files are looked for in the fixture's folder only. */
static int find_file(void *userdata, enum module_file_kind kind, const char *name)
{
    const struct fixture *fixture = userdata;
    char path[1200];
    if (kind == MODULE_FILE_DWO)
        snprintf(path, sizeof(path), "%s", name);
    else if (kind == MODULE_FILE_DWP)
        snprintf(path, sizeof(path), "%s/lib.so.dwp", fixture->folder);
    else if (kind == MODULE_FILE_BUILD_ID)
        snprintf(path, sizeof(path), "%s/by-build-id", fixture->folder);
    else
        snprintf(path, sizeof(path), "%s/%s", fixture->folder, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static int open_fixture(const struct fixture *fixture, const char *name)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", fixture->folder, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static struct module *open_module(struct fixture *fixture, const char *name)
{
    struct module *module = NULL;
    OWNED_FD int fd = open_fixture(fixture, name);
    assert_int_equal(module_open(fd, find_file, fixture, &module), 0);
    return module;
}

static bool take_victim(void *userdata, const char *name, const Elf64_Sym *symbol)
{
    if (strcmp(name, "victim") != 0)
        return true;
    *(Elf64_Sym *)userdata = *symbol;
    return false;
}

static Elf64_Sym find_victim(const struct fixture *fixture, const char *name)
{
    struct elf_image *image = NULL;
    Elf64_Sym victim = {0};
    OWNED_FD int fd = open_fixture(fixture, name);
    assert_int_equal(elf_image_open(fd, &image), 0);
    elf_image_symbols(image, take_victim, &victim);
    elf_image_free(image);
    assert_true(victim.st_size > 0);
    return victim;
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);
    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* At every address of the function its own frame is the outermost; somewhere in it the inlined call is
 * expanded. */
static void assert_inlines_found(struct module *module, Elf64_Sym victim)
{
    size_t loops = 0;
    for (uint64_t address = victim.st_value; address < victim.st_value + victim.st_size; address++) {
        const struct source_frame *frames;
        size_t count;
        assert_int_equal(module_resolve(module, address, &frames, &count), 0);
        assert_true(count > 0);
        assert_true(ends_with(frames[count - 1].function, "victim"));
        assert_true(ends_with(frames[count - 1].file, "/shape.rs"));
        assert_true(frames[count - 1].line > 0);
        for (size_t i = 0; i + 1 < count; i++) {
            if (!ends_with(frames[i].function, "inner"))
                continue;
            assert_int_equal(frames[i + 1].line, LINE_CALL);
            loops += frames[i].line == LINE_LOOP && strcmp(frames[i].file, frames[count - 1].file) == 0;
        }
    }
    assert_true(loops > 0);
}

static void check_shape(struct fixture *fixture, const char *flags, const char *after)
{
    build(fixture, "lib.so", flags);
    Elf64_Sym victim = find_victim(fixture, "lib.so");
    if (*after)
        shell(fixture, "%s", after);
    struct module *module = open_module(fixture, "lib.so");
    assert_int_equal(module_info(module)->debug, DEBUG_LINES);
    assert_false(module_info(module)->lacks_split);
    assert_inlines_found(module, victim);
    module_free(module);
}

static void test_full_debug_info(void **state)
{
    check_shape(*state, "-g", "");
}

static void test_debug_1(void **state)
{
    check_shape(*state, "-C debuginfo=1", "");
}

static void test_line_tables_only(void **state)
{
    check_shape(*state, "-C debuginfo=line-tables-only", "");
}

static void test_dwarf_5(void **state)
{
    setenv("RUSTC_BOOTSTRAP", "1", 1);
    check_shape(*state, "-g -Z dwarf-version=5", "");
    unsetenv("RUSTC_BOOTSTRAP");
}

static void test_remapped_paths(void **state)
{
    check_shape(*state, "-g --remap-path-prefix=shape.rs=/elsewhere/shape.rs", "");
}

static void test_without_aranges(void **state)
{
    check_shape(*state, "-g", "objcopy --remove-section=.debug_aranges lib.so");
}

static void test_split_packed(void **state)
{
    check_shape(*state, "-g -C split-debuginfo=packed", "test -f lib.so.dwp && rm -f *.dwo");
}

static void test_split_unpacked(void **state)
{
    check_shape(*state, "-g -C split-debuginfo=unpacked", "ls *.dwo");
}

static void test_split_dwarf_5(void **state)
{
    setenv("RUSTC_BOOTSTRAP", "1", 1);
    check_shape(*state, "-g -C split-debuginfo=packed -Z dwarf-version=5",
                "test -f lib.so.dwp && rm -f *.dwo");
    unsetenv("RUSTC_BOOTSTRAP");
}

static void test_zlib_sections(void **state)
{
    check_shape(
        *state, "-g",
        "objcopy --compress-debug-sections=zlib lib.so && readelf -SW lib.so | grep -q 'debug_info.* C '");
}

static void test_gnu_zlib_sections(void **state)
{
    check_shape(
        *state, "-g",
        "objcopy --compress-debug-sections=zlib-gnu lib.so && readelf -SW lib.so | grep -q zdebug_info");
}

static void test_zstd_sections(void **state)
{
    check_shape(
        *state, "-g",
        "objcopy --compress-debug-sections=zstd lib.so && readelf -SW lib.so | grep -q 'debug_info.* C '");
}

static void test_separate_file_by_build_id(void **state)
{
    check_shape(*state, "-g", "objcopy --only-keep-debug lib.so by-build-id && strip --strip-all lib.so");
}

static void test_separate_file_by_link(void **state)
{
    check_shape(*state, "-g",
                "objcopy --only-keep-debug lib.so lib.debug && strip --strip-all lib.so && "
                "objcopy --add-gnu-debuglink=lib.debug lib.so");
}

static void test_separate_file_of_another_build_is_not_taken(void **state)
{
    struct fixture *fixture = *state;
    build(fixture, "lib.so", "-g -C opt-level=0");
    shell(fixture, "objcopy --only-keep-debug lib.so by-build-id");
    build(fixture, "lib.so", "-g");
    shell(fixture, "strip --strip-debug lib.so");
    struct module *module = open_module(fixture, "lib.so");
    assert_int_equal(module_info(module)->debug, DEBUG_SYMBOLS);
    module_free(module);
}

static void test_lost_split_file_leaves_lines(void **state)
{
    struct fixture *fixture = *state;
    const struct source_frame *frames;
    size_t count;
    build(fixture, "lib.so", "-g -C split-debuginfo=unpacked");
    shell(fixture, "rm -f *.dwo");
    Elf64_Sym victim = find_victim(fixture, "lib.so");
    struct module *module = open_module(fixture, "lib.so");
    assert_true(module_info(module)->lacks_split);
    assert_int_equal(module_resolve(module, victim.st_value, &frames, &count), 0);
    assert_int_equal(count, 1);
    assert_string_equal(frames[0].function, "victim");
    assert_true(frames[0].line > 0);
    module_free(module);
}

static void test_stripped_has_functions(void **state)
{
    struct fixture *fixture = *state;
    const struct source_frame *frames;
    size_t count;
    build(fixture, "lib.so", "");
    Elf64_Sym victim = find_victim(fixture, "lib.so");
    struct module *module = open_module(fixture, "lib.so");
    assert_int_equal(module_info(module)->debug, DEBUG_SYMBOLS);
    assert_int_equal(module_resolve(module, victim.st_value + 1, &frames, &count), 0);
    assert_int_equal(count, 1);
    assert_string_equal(frames[0].function, "victim");
    assert_string_equal(frames[0].file, "");
    assert_int_equal(module_resolve(module, 1, &frames, &count), 0);
    assert_int_equal(count, 0);
    module_free(module);
}

static void test_std_alone_is_library_lines(void **state)
{
    struct fixture *fixture = *state;
    shell(fixture, "echo 'fn main() { println!(\"x\"); }' > app.rs && " RUSTC " -O app.rs -o app");
    struct module *module = open_module(fixture, "app");
    assert_int_equal(module_info(module)->debug, DEBUG_LIBRARY_LINES);
    assert_true(module_info(module)->rust);
    module_free(module);
}

static void test_survey_finds_allocator_and_build_id(void **state)
{
    struct fixture *fixture = *state;
    build(fixture, "lib.so", "-g");
    struct module *module = open_module(fixture, "lib.so");
    const struct module_info *info = module_info(module);
    assert_true(info->rust);
    assert_int_equal(info->build_id_len, 20);
    assert_int_equal(info->allocator_symbol_count, 1);
    assert_string_equal(info->allocator_symbols[0].name, "malloc");
    assert_int_equal(info->allocator_symbols[0].address - info->text_address,
                     info->allocator_symbols[0].file_offset - info->text_offset);
    module_free(module);
}

static void test_c_is_not_rust(void **state)
{
    struct fixture *fixture = *state;
    shell(fixture, "echo 'int main(void) { return 0; }' > c.c && cc -g c.c -o c");
    struct module *module = open_module(fixture, "c");
    assert_false(module_info(module)->rust);
    assert_int_equal(module_info(module)->debug, DEBUG_LINES);
    module_free(module);
}

static const char names_source[] =
    "pub mod m {\n"
    "    #[inline(never)] pub fn work(x: u64) -> u64 { std::hint::black_box(x) + 1 }\n"
    "    pub async fn wait(x: u64) -> u64 { work(x) }\n"
    "}\n"
    "#[no_mangle] pub extern \"C\" fn victim(x: u64) -> u64 {\n"
    "    use std::{future::Future, pin::pin, task::{Context, Poll, Waker}};\n"
    "    let block = async { std::hint::black_box(m::wait(x).await) };\n"
    "    match pin!(block).poll(&mut Context::from_waker(Waker::noop())) { Poll::Ready(y) => y, _ => 0 }\n"
    "}\n";

struct looking_for {
    struct module *module;
    const char *name;
    bool found;
};

static bool look_at_symbol(void *userdata, const char *name, const Elf64_Sym *symbol)
{
    struct looking_for *looking = userdata;
    const struct source_frame *frames;
    size_t count;
    (void)name;
    assert_int_equal(module_resolve(looking->module, symbol->st_value, &frames, &count), 0);
    looking->found = count && !strcmp(frames[count - 1].function, looking->name);
    return !looking->found;
}

static void assert_has_function(struct fixture *fixture, struct module *module, const char *name)
{
    struct looking_for looking = {.module = module, .name = name};
    struct elf_image *image = NULL;
    OWNED_FD int fd = open_fixture(fixture, "lib.so");
    assert_int_equal(elf_image_open(fd, &image), 0);
    elf_image_symbols(image, look_at_symbol, &looking);
    elf_image_free(image);
    if (!looking.found)
        fail_msg("no function is called %s", name);
}

/* Line tables alone have "work" and "{async_fn#0}", legacy symbols "m::wait::{{closure}}". */
static void test_names_have_their_crate_and_say_what_is_async(void **state)
{
    static const char *const levels[] = {"2", "line-tables-only"}, *const manglings[] = {"legacy", "v0"};
    struct fixture *fixture = *state;
    temporary_folder_write(fixture->folder, "names.rs", names_source);
    for (size_t i = 0; i < 4; i++) {
        shell(fixture,
              "RUSTC_BOOTSTRAP=1 " RUSTC
              " --edition 2021 --crate-type cdylib -C debuginfo=%s -Z unstable-options"
              " -C symbol-mangling-version=%s -o lib.so names.rs",
              levels[i / 2], manglings[i % 2]);
        struct module *module = open_module(fixture, "lib.so");
        assert_has_function(fixture, module, "names::m::work");
        if (i < 2) /* line tables alone know nothing of a function that nothing was inlined into */
            assert_has_function(fixture, module, "names::m::wait::{async_fn#0}");
        assert_has_function(fixture, module, "names::victim::{async_block#0}");
        module_free(module);
    }
}

static void test_mini_debug_info_names_functions_of_a_stripped_file(void **state)
{
    struct fixture *fixture = *state;
    temporary_folder_write(fixture->folder, "names.rs", names_source);
    shell(fixture, RUSTC " --edition 2021 --crate-type cdylib -g -o lib.so names.rs");
    shell(fixture, "objcopy --only-keep-debug lib.so mini");
    shell(fixture, "objcopy -S --wildcard --keep-symbol='*4work*' mini && xz mini && strip lib.so");
    shell(fixture, "objcopy --add-section .gnu_debugdata=mini.xz lib.so");
    struct module *module = open_module(fixture, "lib.so");
    assert_int_equal(module_info(module)->debug, DEBUG_SYMBOLS);
    assert_has_function(fixture, module, "names::m::work");
    module_free(module);
}

/* rustc gives no sums of its own files (1.95); what clang compiles into a program does. */
static void test_md5_of_a_source_file(void **state)
{
    struct fixture *fixture = *state;
    static const char text[] = "int victim(int x) { return x + 1; }";
    const struct source_frame *frames;
    size_t count;
    temporary_folder_write(fixture->folder, "one.c", text);
    shell(fixture, "clang -g -gdwarf-5 -shared -nostdlib -o lib.so one.c");
    struct module *module = open_module(fixture, "lib.so");
    assert_int_equal(module_resolve(module, find_victim(fixture, "lib.so").st_value, &frames, &count), 0);
    assert_int_equal(count, 1);
    assert_string_equal(frames[0].file_md5, md5_of(text, strlen(text)).hex);
    module_free(module);
    shell(fixture, "clang -g -gdwarf-4 -shared -nostdlib -o lib.so one.c");
    module = open_module(fixture, "lib.so");
    assert_int_equal(module_resolve(module, find_victim(fixture, "lib.so").st_value, &frames, &count), 0);
    assert_int_equal(count, 1);
    assert_null(frames[0].file_md5);
    module_free(module);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_full_debug_info),
        TEST(test_debug_1),
        TEST(test_line_tables_only),
        TEST(test_dwarf_5),
        TEST(test_remapped_paths),
        TEST(test_without_aranges),
        TEST(test_split_packed),
        TEST(test_split_unpacked),
        TEST(test_split_dwarf_5),
        TEST(test_zlib_sections),
        TEST(test_gnu_zlib_sections),
        TEST(test_zstd_sections),
        TEST(test_separate_file_by_build_id),
        TEST(test_separate_file_by_link),
        TEST(test_separate_file_of_another_build_is_not_taken),
        TEST(test_lost_split_file_leaves_lines),
        TEST(test_stripped_has_functions),
        TEST(test_std_alone_is_library_lines),
        TEST(test_survey_finds_allocator_and_build_id),
        TEST(test_c_is_not_rust),
        TEST(test_names_have_their_crate_and_say_what_is_async),
        TEST(test_mini_debug_info_names_functions_of_a_stripped_file),
        TEST(test_md5_of_a_source_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
