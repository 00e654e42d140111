/* A new, empty folder for a test's files. */
#ifndef RSPROF_TESTS_TEMPORARY_FOLDER_H
#define RSPROF_TESTS_TEMPORARY_FOLDER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"

#define FOLDER_LEN 64

static void temporary_folder_make(char folder[FOLDER_LEN])
{
    snprintf(folder, FOLDER_LEN, "%s/rsprof-test-XXXXXX", P_tmpdir);
    assert_non_null(mkdtemp(folder));
}

static void temporary_folder_write(const char *folder, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    OWNED_FILE FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
}

static void temporary_folder_remove(const char *folder)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

#endif
