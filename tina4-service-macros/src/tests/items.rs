//! Faults of the item under the attribute.

use super::{check_items, faults};

#[test]
fn items_that_are_not_functions() {
    let found = |what: &str| {
        format!(
            "`#[service]` must be on a free `fn`, found {what}; move the attribute to a free `fn`"
        )
    };
    for (item, what) in [
        ("struct S;", "a struct"),
        ("pub enum E {}", "an enum"),
        ("union U { a: u8 }", "a union"),
        ("unsafe trait T {}", "a trait"),
        ("trait T {}", "a trait"),
        ("impl S { fn f() {} }", "an `impl` block"),
        ("unsafe impl T for S {}", "an `impl` block"),
        ("mod m {}", "a module"),
        ("const C: u8 = 1;", "a constant"),
        ("static S: u8 = 1;", "a static"),
        ("type T = u8;", "a type alias"),
        ("use a::b;", "an import"),
        ("extern \"C\" { fn f(); }", "an `extern` item"),
        ("extern crate a;", "an `extern` item"),
        ("macro_rules! m { () => {} }", "a macro"),
    ] {
        assert_eq!(faults("", item), [found(what)], "{item}");
    }
}

#[test]
fn faults_of_arguments_are_reported_on_any_item() {
    let found = faults("interval = 30", "struct S;");
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn faulty_qualifiers() {
    let needs_tokio = "`async fn` needs the feature `tokio` of tina4-service, which is turned off; add `features = [\"tokio\"]` to `tina4-service` in Cargo.toml, or write a plain `fn`";
    let async_faults: &[_] = if cfg!(feature = "tokio") { &[] } else { &[needs_tokio] };
    check_items(&[
        ("async fn f() {}", async_faults),
        ("const fn f() {}", &["a service cannot be a `const fn`; remove `const`"]),
        (
            "unsafe fn f() {}",
            &[
                "a service cannot be an `unsafe fn`, because the runner cannot uphold its safety contract; remove `unsafe`",
            ],
        ),
        (
            "extern \"C\" fn f() {}",
            &[
                "a service cannot be an `extern fn`; remove `extern`, and call the service from a separate `extern fn` if C code needs it",
            ],
        ),
        ("fn f();", &["`f` has no body; put `#[service]` on a free `fn`, not on a declaration"]),
        ("#[service] fn f() {}", &["`f` has more than one `#[service]`; keep one"]),
        (
            "#[tina4_service::service(critical = true)] fn f() {}",
            &["`f` has more than one `#[service]`; keep one"],
        ),
    ]);
}

#[test]
fn faulty_signatures() {
    let generic = "a service cannot be generic, because nothing determines its generic arguments; write concrete types";
    let pattern = "a parameter of a service must be a plain name; write `value: Type`, and destructure the value in the body";
    let impl_trait = "a service cannot have an `impl Trait` parameter, because nothing determines its type; write the type";
    check_items(&[
        ("fn f<T>() {}", &[generic]),
        ("fn f<const N: usize>() {}", &[generic]),
        ("fn f<'a, T>(x: &'a T) where T: X {}", &[generic]),
        (
            "fn f<'a>(x: &'a Context) {}",
            &["a service cannot have lifetime parameters; leave them out, as in `ctx: &Context`"],
        ),
        (
            "fn f() where u8: Copy {}",
            &[
                "a service cannot have a `where` clause, because it is not generic; remove the clause",
            ],
        ),
        ("fn f(x: impl X) {}", &[impl_trait]),
        ("fn f(x: Res<Vec<impl X>>) {}", &[impl_trait]),
        (
            "fn f(c: &'static C) {}",
            &[
                "a parameter is borrowed for one run and cannot be `'static`; remove the lifetime, as in `ctx: &Context`",
            ],
        ),
        ("fn f(c: &'_ C, s: Res<&'static str>) {}", &[]),
        (
            "fn f(&self) {}",
            &[
                "a service cannot take `self`; make it a free function, and take shared values as `Res<T>`",
            ],
        ),
        (
            "fn f(self: Box<Self>, a: A) {}",
            &[
                "a service cannot take `self`; make it a free function, and take shared values as `Res<T>`",
            ],
        ),
        ("unsafe extern \"C\" fn f(a: A, ...) {}", &["a service cannot be variadic; remove `...`"]),
        ("fn f((a, b): (A, B)) {}", &[pattern]),
        ("fn f(Res(a): Res<A>, ref b: B) {}", &[pattern, pattern]),
        ("fn f(mut a: A, _: B) {}", &[]),
        (
            "fn f(#[cfg(x)] a: A) {}",
            &["a parameter of a service cannot be conditional; put `#[cfg(..)]` on the function"],
        ),
        ("fn f(#[allow(unused)] a: A) {}", &[]),
        ("fn f(a: A, b: A, c: A, d: A, e: A, f: A, g: A, h: A) {}", &[]),
        (
            "fn f(a: A, b: A, c: A, d: A, e: A, f: A, g: A, h: A, i: A, j: A) {}",
            &["a service has at most 8 parameters, found 10; gather shared values in one struct"],
        ),
    ]);
}

#[test]
fn function_names_that_are_invalid_service_names() {
    check_items(&[
        (
            "fn _hidden() {}",
            &[
                "a name cannot start with `_`; start it with an ASCII letter, or set `name = \"..\"`",
            ],
        ),
        (
            "fn grüße() {}",
            &[
                "a name cannot contain `ü`; use ASCII letters, digits, `_`, `-` and `.`, or set `name = \"..\"`",
            ],
        ),
        ("fn r#loop() {}", &[]),
    ]);
    assert_eq!(faults("name = \"hidden\"", "fn _hidden() {}"), [""; 0]);
    // The faulty value of `name` is reported, and nothing else.
    assert_eq!(faults("name = 5", "fn _hidden() {}").len(), 1);
}
