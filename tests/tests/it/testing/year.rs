//! Rule 70: a year passes in seconds.

use tests::Stopwatch;
use tina4_service::Service;
use tina4_service::testing::TestRunner;

#[test]
fn rule_70_a_year_of_a_service_at_30_s_beside_a_daily_one() {
    let watch = Stopwatch::start();
    let mut t = TestRunner::builder()
        .only::<&str>([])
        .service(Service::new("often", |_| {}).interval("30s"))
        .service(Service::new("daily", |_| {}).cron("0 8 * * *"))
        .build()
        .unwrap();
    t.advance("365d");
    assert_eq!(t.runs("often"), 365 * 2_880 + 1);
    assert_eq!(t.runs("daily"), 365);
    println!("a year took {:?}", watch.elapsed());
}
