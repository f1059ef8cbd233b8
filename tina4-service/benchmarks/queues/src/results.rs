//! [`Results`]: the figures of all rounds.

use crate::durability::Durability;
use crate::metric::{self, Figure, Metric};
use crate::peer::Peer;
use crate::store::Store;

/// The figures of all rounds.
#[derive(Default)]
pub(crate) struct Results(Vec<Row>);

struct Row {
    peer: Peer,
    durability: Durability,
    metric: Metric,
    figures: Vec<f64>,
}

impl Results {
    pub(crate) fn add(
        &mut self,
        peer: Peer,
        durability: Durability,
        metric: Metric,
        figures: Vec<f64>,
    ) {
        self.0.push(Row { peer, durability, metric, figures });
    }

    /// The median of a figure.
    fn median(
        &self,
        peer: Peer,
        durability: Durability,
        metric: Metric,
        place: usize,
    ) -> Option<f64> {
        let rows = self
            .0
            .iter()
            .filter(|row| (row.peer, row.durability, row.metric) == (peer, durability, metric));
        let mut figures: Vec<f64> = rows.map(|row| row.figures[place]).collect();
        figures.sort_by(f64::total_cmp);
        let middle = figures.len() / 2;
        if figures.len() % 2 == 1 {
            Some(figures[middle])
        } else {
            middle.checked_sub(1).map(|before| f64::midpoint(figures[before], figures[middle]))
        }
    }

    /// Prints a table: figures, and in brackets how many times better ours are.
    pub(crate) fn print(&self, store: Store, durability: Durability, peers: &[Peer]) {
        let names: Vec<&str> = peers.iter().map(|peer| peer.name()).collect();
        println!("\n{}, {durability}:\n", store.name());
        println!("| | {} |", names.join(" | "));
        println!("| --- | {} |", vec!["---:"; names.len()].join(" | "));
        for (of, metric) in metric::all(&[]) {
            if of != durability {
                continue;
            }
            for (place, figure) in metric.figures().iter().enumerate() {
                let medians: Vec<Option<f64>> = peers
                    .iter()
                    .map(|peer| self.median(*peer, durability, metric, place))
                    .collect();
                if medians.iter().all(Option::is_none) {
                    continue;
                }
                let ours = self.median(Peer::Tina4, durability, metric, place);
                let cells = peers.iter().zip(medians);
                let cells: Vec<String> =
                    cells.map(|(peer, median)| cell(*peer, figure, ours, median)).collect();
                println!("| {} | {} |", figure.title, cells.join(" | "));
            }
        }
    }
}

/// A median, and how many times better ours is.
fn cell(peer: Peer, figure: &Figure, ours: Option<f64>, median: Option<f64>) -> String {
    let Some(median) = median else { return "–".to_owned() };
    let ratio = ours
        .filter(|_| peer != Peer::Tina4)
        .map(|ours| if figure.is_rate { ours / median } else { median / ours });
    ratio.map_or(format!("{median:.0}"), |ratio| format!("{median:.0} ({ratio:.1})"))
}
