/* Names as people write them. */
#include "dwarf/demangle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_short(const char *mangled, const char *wanted)
{
    OWNED_BUF struct buf name = BUF_INIT;
    assert_int_equal(demangle_short(mangled, &name), 0);
    assert_string_equal(name.data, wanted);
}

static void assert_full(const char *mangled, const char *wanted)
{
    OWNED_BUF struct buf name = BUF_INIT;
    assert_int_equal(demangle_full(mangled, &name), 0);
    assert_string_equal(name.data, wanted);
}

static void assert_shortened(const char *path, const char *wanted)
{
    OWNED_BUF struct buf name = BUF_INIT;
    assert_int_equal(demangle_shorten(path, &name), 0);
    assert_string_equal(name.data, wanted);
}

static void test_legacy_has_no_hash(void **state)
{
    (void)state;
    assert_short("_ZN3foo3bar17h05af221e174051e9E", "foo::bar");
    assert_full("_ZN3foo3bar17h05af221e174051e9E", "foo::bar");
}

static void test_legacy_closure_is_readable(void **state)
{
    (void)state;
    assert_short("_ZN3svc4main28_$u7b$$u7b$closure$u7d$$u7d$17h0123456789abcdefE", "svc::main::{closure}");
}

static void test_legacy_trait_keeps_both_sides(void **state)
{
    (void)state;
    assert_short("_ZN71_$LT$Test$u20$$u2b$$u20$$u27$static$u20$as$u20$foo..Bar$LT$Test$GT$$GT$"
                 "3bar17h930b740aa94f1d3aE",
                 "<Test + 'static as foo::Bar>::bar");
    assert_short("_ZN52_$LT$alloc..vec..Vec$LT$T$GT$$u20$as$u20$x..Drop$GT$4drop17h0123456789abcdefE",
                 "<alloc::vec::Vec as x::Drop>::drop");
}

static void test_suffixes_of_tools_are_dropped(void **state)
{
    (void)state;
    assert_short("_ZN3foo3bar17h05af221e174051e9E.llvm.1234567890", "foo::bar");
    assert_short("_RNvC6_123foo3bar.llvm.12AB", "123foo::bar");
    assert_short("memcpy@@GLIBC_2.14", "memcpy");
    assert_short("helper.part.0", "helper");
    assert_short("helper.cold", "helper");
}

static void test_v0_names(void **state)
{
    (void)state;
    assert_short("_RNvC6_123foo3bar", "123foo::bar");
    assert_short("_RNCNCNgCs6DXkGYLi8lr_2cc5spawn00B5_", "cc::spawn::{closure#0}::{closure#0}");
    assert_short(
        "_RINbNbCskIICzLVDPPb_5alloc5alloc8box_freeDINbNiB4_5boxed5FnBoxuEp6OutputuEL_ECs1iopQbuBiw2_3std",
        "alloc::alloc::box_free");
    assert_full(
        "_RINbNbCskIICzLVDPPb_5alloc5alloc8box_freeDINbNiB4_5boxed5FnBoxuEp6OutputuEL_ECs1iopQbuBiw2_3std",
        "alloc::alloc::box_free::<dyn alloc::boxed::FnBox<(), Output = ()>>");
}

static void test_generics_are_elided(void **state)
{
    (void)state;
    assert_shortened("<alloc::vec::Vec<u8>>::push", "alloc::vec::Vec::push");
    assert_shortened("alloc::vec::Vec<T,A>::push", "alloc::vec::Vec::push");
    assert_shortened("core::ptr::drop_in_place::<alloc::vec::Vec<u8>>", "core::ptr::drop_in_place");
    assert_shortened("<a::B<T> as c::D<U>>::f::<V>::{closure#0}", "<a::B as c::D>::f::{closure#0}");
    assert_shortened("<[T]>::sort_by::<<[T]>::sort::{closure#0}>", "<[T]>::sort_by");
    assert_shortened("<&mut a::I<T> as core::iter::Iterator>::next",
                     "<&mut a::I as core::iter::Iterator>::next");
    assert_shortened("core::slice::<impl [T]>::iter", "core::slice::iter");
}

static void test_arrows_close_nothing(void **state)
{
    (void)state;
    assert_shortened("a::call::<fn(u8) -> bool>::inner", "a::call::inner");
    assert_shortened("<fn(u8) -> bool as a::F<u8>>::call", "<fn(u8) -> bool as a::F>::call");
}

static void test_other_languages(void **state)
{
    (void)state;
    assert_short("main", "main");
    assert_short("_ZNSt6vectorIiSaIiEE9push_backEOi", "std::vector<int, std::allocator<int> >::push_back");
    assert_full("_ZN3abc3defEi", "abc::def(int)");
}

static void test_broken_names_end(void **state)
{
    (void)state;
    assert_short("", "");
    assert_shortened("<", "<>");
    assert_shortened("<a::B", "a::B");
    assert_shortened("a::<b", "a");
    assert_shortened("a>b<c>>", "a>b>");
    assert_short("_RNvC", "_RNvC");
    assert_short("_ZN", "_ZN");
}

/* Each tuple holds the one before twice: nobody waits for the end of that. */
static void test_exploding_names_are_cut(void **state)
{
    (void)state;
    static const char mangled[] =
        "_RINvC1x1fThhETB7_B7_ETBb_Bb_ETBj_Bj_ETBr_Br_ETBz_Bz_ETBH_BH_ETBP_BP_ETBX_BX_E"
        "TB15_B15_ETB1d_B1d_ETB1n_B1n_ETB1x_B1x_ETB1H_B1H_ETB1R_B1R_ETB21_B21_EE";
    OWNED_BUF struct buf name = BUF_INIT;
    assert_int_equal(demangle_full(mangled, &name), 0);
    assert_true(name.len <= 65536 + strlen("…"));
    assert_string_equal(name.data + name.len - strlen("…"), "…");
}

static void test_lifetimes_are_not_counted_for_ever(void **state)
{
    (void)state;
    assert_full("_RINvC1a1fFG_RL0_hEuE", "a::f::<for<'a> fn(&'a u8)>");
    assert_short("_RINvC1a1fFG1zzzzzzz_RL0_hEuE", "_RINvC1a1fFG1zzzzzzz_RL0_hEuE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_legacy_has_no_hash),
        cmocka_unit_test(test_legacy_closure_is_readable),
        cmocka_unit_test(test_legacy_trait_keeps_both_sides),
        cmocka_unit_test(test_suffixes_of_tools_are_dropped),
        cmocka_unit_test(test_v0_names),
        cmocka_unit_test(test_generics_are_elided),
        cmocka_unit_test(test_arrows_close_nothing),
        cmocka_unit_test(test_other_languages),
        cmocka_unit_test(test_broken_names_end),
        cmocka_unit_test(test_exploding_names_are_cut),
        cmocka_unit_test(test_lifetimes_are_not_counted_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
