/* The unwind table: against readelf, an independent reader of the same section, on a real libc; and its
 * shape. */
#include "dwarf/module.h"

#include "base/cleanup.h"
#include "dwarf/elf_image.h"
#include "temporary_folder.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <string.h>

/* The rule in force at a link-time address, found as the BPF unwinder finds it. */
static struct unwind_row rule_at(const struct unwind_table *table, uint64_t address)
{
    struct unwind_row none = {.kind = UNWIND_NONE};
    uint64_t page = (address - table->start) >> UNWIND_PAGE_SHIFT;
    if (address < table->start || page >= table->page_count)
        return none;
    struct unwind_page rows = table->elements[page].page;
    if (rows.kind != UNWIND_ROWS)
        return table->elements[page].row;
    struct unwind_row found = none;
    for (uint32_t i = 0; i < rows.line_count * UNWIND_LINE_ELEMENTS; i++) {
        struct unwind_row row = table->elements[rows.first_line * UNWIND_LINE_ELEMENTS + i].row;
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
        return row.kind == UNWIND_PLT || row.kind == UNWIND_CFA_RBP_DEREF ||
               row.kind == UNWIND_CFA_RSP_DEREF || row.kind == UNWIND_CFA_RSP ||
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
        uint32_t count = page.line_count * UNWIND_LINE_ELEMENTS,
                 first = page.first_line * UNWIND_LINE_ELEMENTS;
        if (page.kind != UNWIND_ROWS)
            continue;
        assert_true(first >= table.page_count && first + count <= table.element_count);
        assert_true(table.elements[first].row.pc == 0 && table.elements[first + 1].row.pc > 0);
        for (uint32_t j = 1; j < count; j++)
            assert_true(table.elements[first + j].row.pc >= table.elements[first + j - 1].row.pc);
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

/* One function a kind; the label "at_KIND" is where the rule is asked for. */
static const char assembly[] =
    ".text\n"
    ".macro function name\n .globl \\name\n .type \\name, @function\n\\name:\n .cfi_startproc\n.endm\n"
    ".macro end name\n .cfi_endproc\n .size \\name, . - \\name\n .balign 16\n.endm\n"
    "function plain\n push %rbp\n .cfi_def_cfa_offset 16\n .cfi_offset rbp, -16\n mov %rsp, %rbp\n"
    " .cfi_def_cfa_register rbp\n .globl at_rbp\nat_rbp: nop\n .cfi_remember_state\n pop %rbp\n .cfi_def_cfa "
    "rsp, 8\n"
    " .cfi_restore rbp\n .globl at_rsp\nat_rsp: ret\n .cfi_restore_state\n .globl at_restored\nat_restored: "
    "nop\nend plain\n"
    "function deref\n .cfi_escape 0x0f,3,0x76,0x78,0x06\n .cfi_escape 0x10,6,2,0x76,0\n .globl at_deref\n"
    "at_deref: nop\nend deref\n"
    "function deref_lost\n .cfi_escape 0x0f,3,0x76,0x78,0x06\n .globl at_deref_lost\nat_deref_lost: nop\nend "
    "deref_lost\n"
    "function rsp_deref\n .cfi_escape 0x0f,6,0x77,0xf0,0,0x06,0x23,8\n .cfi_offset rbp, -24\n .globl "
    "at_rsp_deref\n"
    "at_rsp_deref: nop\nend rsp_deref\n"
    "function rsp_deref_bare\n .cfi_escape 0x0f,3,0x77,0x78,0x06\n .globl at_rsp_deref_bare\n"
    "at_rsp_deref_bare: nop\nend rsp_deref_bare\n"
    "function rsp_deref_far\n .cfi_escape 0x0f,6,0x77,8,0x06,0x23,0x80,2\n .globl at_rsp_deref_far\n"
    "at_rsp_deref_far: nop\nend rsp_deref_far\n"
    "function plt\n .cfi_escape 0x0f,11,0x77,8,0x80,0,0x3f,0x1a,0x3b,0x2a,0x33,0x24,0x22\n .globl at_plt\n"
    "at_plt: .skip 32, 0x90\nend plt\n"
    "function plt_ibt\n .cfi_escape 0x0f,11,0x77,8,0x80,0,0x3f,0x1a,0x39,0x2a,0x33,0x24,0x22\n .globl "
    "at_plt_ibt\n"
    "at_plt_ibt: .skip 32, 0x90\nend plt_ibt\n"
    "function signal\n .cfi_signal_frame\n .globl at_signal\nat_signal: nop\nend signal\n"
    "function outermost\n .cfi_undefined rip\n .globl at_end\nat_end: nop\nend outermost\n"
    "function clone\n nop\n .cfi_endproc\nat_clone: .globl at_clone\n syscall\n test %eax, %eax\n jz begin\n "
    "ret\n"
    "begin: .globl begin\n .cfi_startproc\n .cfi_undefined rip\n nop\nend clone\n"
    "function other\n .cfi_def_cfa r10, 0\n .globl at_other\nat_other: nop\nend other\n"
    "function far\n .cfi_def_cfa_offset 100000\n .cfi_offset rbp, -99992\n .globl at_far\nat_far: nop\nend "
    "far\n"
    ".section .note.GNU-stack,\"\",@progbits\n";

struct wanted_symbol {
    const char *name;
    uint64_t address;
};

static bool take_symbol(void *userdata, const char *name, const Elf64_Sym *symbol)
{
    struct wanted_symbol *wanted = userdata;
    if (strcmp(name, wanted->name) != 0)
        return true;
    wanted->address = symbol->st_value;
    return false;
}

struct assembled {
    struct elf_image *image;
    struct module *module;
    struct unwind_table table;
};

static void assemble(struct assembled *assembled, const char *text, const char *suffix, const char *flags)
{
    char folder[FOLDER_LEN], name[16], path[128], command[512];
    temporary_folder_make(folder);
    snprintf(name, sizeof(name), "code%s", suffix);
    temporary_folder_write(folder, name, text);
    snprintf(command, sizeof(command), "cd %s && cc -shared -nostdlib %s -o code.so %s", folder, flags, name);
    assert_int_equal(system(command), 0);
    snprintf(path, sizeof(path), "%s/code.so", folder);
    OWNED_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(elf_image_open(fd, &assembled->image), 0);
    assembled->module = open_module(path);
    temporary_folder_remove(folder);
    assert_int_equal(module_unwind_table(assembled->module, &assembled->table), 0);
}

static void assembled_release(struct assembled *assembled)
{
    unwind_table_release(&assembled->table);
    module_free(assembled->module);
    elf_image_free(assembled->image);
}

static struct unwind_row rule_of(const struct assembled *assembled, const char *symbol, unsigned offset)
{
    struct wanted_symbol wanted = {.name = symbol};
    elf_image_symbols(assembled->image, take_symbol, &wanted);
    assert_true(wanted.address != 0);
    return rule_at(&assembled->table, wanted.address + offset);
}

static void assert_rule(struct unwind_row row, enum unwind_kind kind, int cfa_offset, int rbp_offset)
{
    assert_int_equal(row.kind, kind);
    assert_int_equal(row.cfa_offset, cfa_offset);
    assert_int_equal(row.rbp_offset, rbp_offset);
}

static void test_every_kind_of_rule(void **state)
{
    (void)state;
    struct assembled code;
    assemble(&code, assembly, ".s", "");
    assert_rule(rule_of(&code, "plain", 0), UNWIND_CFA_RSP, 8, 0);
    assert_rule(rule_of(&code, "plain", 1), UNWIND_CFA_RSP, 16, -16);
    assert_rule(rule_of(&code, "at_rbp", 0), UNWIND_CFA_RBP, 16, -16);
    assert_rule(rule_of(&code, "at_rsp", 0), UNWIND_CFA_RSP, 8, 0);
    assert_rule(rule_of(&code, "at_restored", 0), UNWIND_CFA_RBP, 16, -16);
    assert_rule(rule_of(&code, "at_restored", 1), UNWIND_NONE, 0, 0); /* between functions */
    assert_rule(rule_of(&code, "at_deref", 0), UNWIND_CFA_RBP_DEREF, -8, 0);
    assert_rule(rule_of(&code, "at_deref_lost", 0), UNWIND_UNSUPPORTED, 0, 0);
    assert_rule(rule_of(&code, "at_rsp_deref", 0), UNWIND_CFA_RSP_DEREF, 112 * 256 + 8, -24);
    assert_rule(rule_of(&code, "at_rsp_deref_bare", 0), UNWIND_CFA_RSP_DEREF, -8 * 256, 0);
    assert_rule(rule_of(&code, "at_rsp_deref_far", 0), UNWIND_UNSUPPORTED, 0, 0);
    assert_rule(rule_of(&code, "at_plt", 0), UNWIND_PLT, 0, 0);
    assert_rule(rule_of(&code, "at_signal", 0), UNWIND_SIGNAL, 0, 0);
    assert_rule(rule_of(&code, "at_end", 0), UNWIND_END, 0, 0);
    assert_rule(rule_of(&code, "clone", 0), UNWIND_CFA_RSP, 8, 0);
    assert_rule(rule_of(&code, "at_clone", 2), UNWIND_CLONE, 8, 0);
    assert_rule(rule_of(&code, "begin", 0), UNWIND_END, 0, 0);
    assert_rule(rule_of(&code, "at_other", 0), UNWIND_UNSUPPORTED, 0, 0);
    assert_rule(rule_of(&code, "at_far", 0), UNWIND_UNSUPPORTED, 0, 0);
    assembled_release(&code);
}

/* Entries that push at another byte than UNWIND_PLT has it become plain rows. */
static void test_other_plt_becomes_rows(void **state)
{
    (void)state;
    struct assembled code;
    assemble(&code, assembly, ".s", "");
    for (unsigned offset = 0; offset < 32; offset++)
        assert_rule(rule_of(&code, "at_plt_ibt", offset), UNWIND_CFA_RSP, offset % 16 >= 9 ? 16 : 8, 0);
    assembled_release(&code);
}

static void test_debug_frame_stands_in_for_eh_frame(void **state)
{
    (void)state;
    struct assembled code;
    assemble(&code, "int victim(int x) { return x + 1; }\n", ".c",
             "-g -O2 -fcf-protection=none -fno-asynchronous-unwind-tables -fno-unwind-tables");
    assert_int_equal(elf_image_section(code.image, ".eh_frame").len, 0);
    assert_rule(rule_of(&code, "victim", 0), UNWIND_CFA_RSP, 8, 0);
    assembled_release(&code);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_libc_rules_agree_with_readelf),
        cmocka_unit_test(test_own_rules_agree_with_readelf),
        cmocka_unit_test(test_pages_start_at_zero_and_are_sorted),
        cmocka_unit_test(test_outside_of_functions_there_is_no_rule),
        cmocka_unit_test(test_every_kind_of_rule),
        cmocka_unit_test(test_other_plt_becomes_rows),
        cmocka_unit_test(test_debug_frame_stands_in_for_eh_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
