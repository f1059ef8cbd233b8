//! A test finds its own services and those of the crates that it imports.

use linking_named as _;
use linking_program as _;

mod services {
    #[tina4_service::service]
    fn in_the_test() {}
}

#[test]
fn rule_80_services_of_a_test_are_found() {
    #[tina4_service::service]
    fn inside_the_test() {}

    let found: Vec<_> = tina4_service::status().into_keys().collect();
    let expected = [
        "deep_in_the_library",
        "in_another_crate",
        "in_the_library",
        "in_the_test",
        "inside_the_test",
    ];
    assert_eq!(found, expected);
}
