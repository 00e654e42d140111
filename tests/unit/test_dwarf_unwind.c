/* The unwind table: against readelf, an independent reader of the same section, on a real libc; and its
 * shape. */
#include "dwarf/module.h"

#include "base/cleanup.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The rule in force at a link-time address, found as the BPF unwinder finds it. */
static struct unwind_row rule_at(const struct unwind_table *table, uint64_t address)
{
    struct unwind_row none = {.kind = UNWIND_NONE};
    uint64_t page = (address - table->start) >> UNWIND_PAGE_SHIFT;
    if (address < table->start || page >= table->page_count)
        return none;
    struct unwind_page rows = table->elements[page].page;
    struct unwind_row found = none;
    for (uint32_t i = 0; i < rows.row_count; i++) {
        struct unwind_row row = table->elements[rows.first_row + i].row;
        if (row.pc <= (address & ((1u << UNWIND_PAGE_SHIFT) - 1)))
            found = row;
    }
    return found;
}

/* What readelf says of one row. */
struct oracle {
    char cfa[32], rbp[32], ra[32];
    uint64_t pc;
    bool signal;
};

enum { COLUMNS_MAX = 24 };

/* Where the columns of interest stand under a "LOC CFA … ra" heading; −1: absent. */
struct columns {
    int rbp, ra;
};

static struct columns read_heading(char *line)
{
    struct columns columns = {-1, -1};
    int index = 0;
    for (char *word = strtok(line, " \n"); word; word = strtok(NULL, " \n"), index++) {
        if (strcmp(word, "rbp") == 0)
            columns.rbp = index;
        else if (strcmp(word, "ra") == 0)
            columns.ra = index;
    }
    return columns;
}

static bool read_row(char *line, struct columns columns, struct oracle *ret_row)
{
    const char *words[COLUMNS_MAX] = {NULL};
    int count = 0;
    for (char *word = strtok(line, " \n"); word && count < COLUMNS_MAX; word = strtok(NULL, " \n"))
        words[count++] = word;
    if (count < 3 || columns.ra < 0 || strlen(words[0]) != 16)
        return false;
    if (columns.ra != count - 1)
        return false; /* a register's name with a blank in it, which moves the columns */
    ret_row->pc = strtoull(words[0], NULL, 16);
    snprintf(ret_row->cfa, sizeof(ret_row->cfa), "%s", words[1]);
    snprintf(ret_row->ra, sizeof(ret_row->ra), "%s", words[columns.ra]);
    snprintf(ret_row->rbp, sizeof(ret_row->rbp), "%s", columns.rbp > 0 ? words[columns.rbp] : "u");
    return true;
}

static bool rbp_agrees(const struct oracle *oracle, struct unwind_row row)
{
    if (strcmp(oracle->rbp, "u") == 0 || strcmp(oracle->rbp, "s") == 0)
        return row.rbp_offset == 0;
    return oracle->rbp[0] == 'c' && row.rbp_offset == atoi(oracle->rbp + 1);
}

static bool agrees(const struct oracle *oracle, struct unwind_row row)
{
    if (oracle->signal)
        return row.kind == UNWIND_SIGNAL;
    if (strcmp(oracle->ra, "u") == 0)
        return row.kind == UNWIND_END;
    if (oracle->ra[0] == 'r')
        return row.kind == UNWIND_UNSUPPORTED; /* in a register */
    if (strncmp(oracle->cfa, "rsp", 3) == 0)
        return row.kind == UNWIND_CFA_RSP && row.cfa_offset == atoi(oracle->cfa + 3) &&
               rbp_agrees(oracle, row);
    if (strncmp(oracle->cfa, "rbp", 3) == 0)
        return row.kind == UNWIND_CFA_RBP && row.cfa_offset == atoi(oracle->cfa + 3) &&
               rbp_agrees(oracle, row);
    if (strcmp(oracle->cfa, "exp") == 0)
        return row.kind == UNWIND_PLT || row.kind == UNWIND_CFA_RBP_DEREF || row.kind == UNWIND_CFA_RSP ||
               row.kind == UNWIND_UNSUPPORTED;
    return row.kind == UNWIND_UNSUPPORTED; /* another register */
}

struct tally {
    size_t rows, wrong, signals;
};

static void check_row(const struct unwind_table *table, const struct oracle *oracle, struct tally *tally)
{
    struct unwind_row row = rule_at(table, oracle->pc);
    tally->rows++;
    tally->signals += oracle->signal;
    if (agrees(oracle, row))
        return;
    tally->wrong++;
    print_message("%lx: readelf has cfa %s rbp %s ra %s, we have kind %d cfa %d rbp %d\n", oracle->pc,
                  oracle->cfa, oracle->rbp, oracle->ra, row.kind, row.cfa_offset, row.rbp_offset);
}

static struct tally compare_with_readelf(const char *path, const struct unwind_table *table)
{
    char command[1100], line[1024];
    struct tally tally = {0};
    struct columns columns = {-1, -1};
    struct oracle oracle = {0};
    bool fde = false, signal_cie = false;
    snprintf(command, sizeof(command), "readelf --debug-dump=frames-interp '%s' 2>/dev/null", path);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    while (fgets(line, sizeof(line), pipe)) {
        if (strstr(line, " CIE ")) {
            /* Entries refer to one before; libc has one CIE with S, whose entries follow it. */
            signal_cie = strstr(line, "\"zRS\"") != NULL;
            fde = false;
        } else if (strstr(line, " FDE ")) {
            fde = true;
        } else if (strstr(line, "   LOC ")) {
            columns = read_heading(line);
        } else if (fde && read_row(line, columns, &oracle)) {
            oracle.signal = signal_cie && strcmp(oracle.cfa, "exp") == 0 && strcmp(oracle.ra, "exp") == 0;
            check_row(table, &oracle, &tally);
        }
    }
    pclose(pipe);
    return tally;
}

static struct module *open_module(const char *path)
{
    struct module *module = NULL;
    OWNED_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(module_open(fd, NULL, NULL, &module), 0);
    return module;
}

static const char *libc_path(void)
{
    Dl_info info;
    assert_true(dladdr((void *)(uintptr_t)gnu_get_libc_version, &info) != 0);
    return info.dli_fname;
}

static void test_libc_rules_agree_with_readelf(void **state)
{
    (void)state;
    struct unwind_table table;
    struct module *module = open_module(libc_path());
    assert_int_equal(module_unwind_table(module, &table), 0);
    struct tally tally = compare_with_readelf(libc_path(), &table);
    print_message("%zu rows compared, %zu of signal frames\n", tally.rows, tally.signals);
    assert_true(tally.rows > 10000);
    assert_true(tally.signals > 0);
    assert_int_equal(tally.wrong, 0);
    unwind_table_release(&table);
    module_free(module);
}

static void test_own_rules_agree_with_readelf(void **state)
{
    (void)state;
    struct unwind_table table;
    struct module *module = open_module("/proc/self/exe");
    assert_int_equal(module_unwind_table(module, &table), 0);
    char path[1024] = "";
    assert_true(readlink("/proc/self/exe", path, sizeof(path) - 1) > 0);
    struct tally tally = compare_with_readelf(path, &table);
    assert_true(tally.rows > 100);
    assert_int_equal(tally.wrong, 0);
    unwind_table_release(&table);
    module_free(module);
}

static void test_pages_start_at_zero_and_are_sorted(void **state)
{
    (void)state;
    struct unwind_table table;
    struct module *module = open_module(libc_path());
    assert_int_equal(module_unwind_table(module, &table), 0);
    assert_int_equal(table.start % 256, 0);
    for (uint32_t i = 0; i < table.page_count; i++) {
        struct unwind_page page = table.elements[i].page;
        assert_true(page.first_row >= table.page_count);
        assert_true(page.first_row + page.row_count <= table.element_count);
        for (uint32_t j = 0; j < page.row_count; j++) {
            struct unwind_row row = table.elements[page.first_row + j].row;
            assert_true(j ? row.pc > table.elements[page.first_row + j - 1].row.pc : row.pc == 0);
        }
    }
    unwind_table_release(&table);
    module_free(module);
}

static void test_outside_of_functions_there_is_no_rule(void **state)
{
    (void)state;
    struct unwind_table table;
    struct module *module = open_module(libc_path());
    assert_int_equal(module_unwind_table(module, &table), 0);
    uint64_t end = table.start + ((uint64_t)table.page_count << UNWIND_PAGE_SHIFT);
    assert_int_equal(rule_at(&table, end - 1).kind, UNWIND_NONE);
    assert_int_equal(rule_at(&table, end).kind, UNWIND_NONE);
    assert_int_equal(rule_at(&table, table.start - 1).kind, UNWIND_NONE);
    unwind_table_release(&table);
    module_free(module);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_libc_rules_agree_with_readelf),
        cmocka_unit_test(test_own_rules_agree_with_readelf),
        cmocka_unit_test(test_pages_start_at_zero_and_are_sorted),
        cmocka_unit_test(test_outside_of_functions_there_is_no_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
