//! Prints every rule of `RULES.md` with the tests that prove it.

use tests::rules::Index;

fn main() {
    print!("{}", Index::read());
}
