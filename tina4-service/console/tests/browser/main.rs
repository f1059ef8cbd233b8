//! Tests of the pages in a real browser. `.ci/browser` starts what they need; without it, they are left out.

mod live;
mod plain;
mod site;
mod webdriver;
mod widths;
