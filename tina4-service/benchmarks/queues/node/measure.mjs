// What the peers in JavaScript share. The Rust crate `measure` does the same, and describes it.

const PUSH_TIME_MS = 2000;
export const JOBS = 50000;
export const BATCH = 1000;
const DRAIN_LIMIT_MS = 5000;
const LATENCIES = 200;
const WARM_UP = 10;
const LATENCY_LIMIT_MS = 4000;
const PAUSE_MS = 10;

export const address = process.env.QUEUE_ADDRESS;

const now = () => performance.now();
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const quantile = (sorted, part) => sorted[Math.min(Math.floor(sorted.length * part), sorted.length - 1)];

function end(...figures) {
  console.log(`result ${figures.map((figure) => figure.toFixed(3)).join(" ")}`);
  process.exit(0);
}

async function push(producers, push) {
  const start = now();
  const times = [];
  const produce = async (producer) => {
    for (let count = 0; now() - start < PUSH_TIME_MS; count++) {
      const began = now();
      await push(producer * 1000000 + count);
      times.push((now() - began) * 1000);
    }
  };
  await Promise.all(Array.from({ length: producers }, (_, producer) => produce(producer)));
  const took = (now() - start) / 1000;
  times.sort((a, b) => a - b);
  end(times.length / took, quantile(times, 0.5), quantile(times, 0.99));
}

let begun = 0;
const starts = new Map();

async function drain() {
  const start = now();
  for (;;) {
    await sleep(1);
    const took = now() - start;
    if (begun >= JOBS || took >= DRAIN_LIMIT_MS) {
      end(begun / (took / 1000));
    }
  }
}

async function latency(push) {
  const first = now();
  const times = [];
  for (let number = 0; number < LATENCIES + WARM_UP; number++) {
    if (now() - first >= LATENCY_LIMIT_MS && times.length > 0) {
      break;
    }
    await sleep(PAUSE_MS + ((number * 37) % 5000) / 1000);
    await push(number);
    const returned = now();
    while (!starts.has(number)) {
      await sleep(0);
      if (now() - returned > 60000) {
        throw new Error(`job ${number} does not start`);
      }
    }
    if (number >= WARM_UP) {
      times.push(Math.max(0, starts.get(number) - returned) * 1000);
    }
  }
  times.sort((a, b) => a - b);
  end(quantile(times, 0.5), quantile(times, 0.99));
}

// A peer has `push(number)`, `fill()`, which stores all jobs, and `start(concurrency, work)`.
export async function measure(peer) {
  const [task, count] = process.argv.slice(2);
  if (task === "push") {
    await push(Number(count), peer.push);
  } else if (task === "drain") {
    await peer.fill();
    await peer.start(Number(count), () => {
      begun += 1;
    });
    await drain();
  } else if (task === "latency") {
    await peer.start(1, (number) => starts.set(number, now()));
    await latency(peer.push);
  } else {
    throw new Error("usage: QUEUE_ADDRESS=.. peer push N | drain N | latency");
  }
}
