// pg-boss. It pushes with `send`. A worker fetches as many jobs as may run at once, again at once after a full batch,
// and is told of jobs by notifications.
import { PgBoss } from "pg-boss";
import { BATCH, JOBS, address, measure } from "./measure.mjs";

const QUEUE = "numbers";
const boss = new PgBoss({ connectionString: address, max: 20, useListenNotify: true });
boss.on("error", console.error);
await boss.start();
await boss.createQueue(QUEUE, { notify: true });

await measure({
  push: (number) => boss.send(QUEUE, { number }),
  fill: async () => {
    for (let first = 0; first < JOBS; first += BATCH) {
      const jobs = Array.from({ length: BATCH }, (_, n) => ({ data: { number: first + n } }));
      await boss.insert(QUEUE, jobs);
    }
  },
  start: (concurrency, work) =>
    boss.work(QUEUE, { batchSize: concurrency, pollingIntervalSeconds: 0.5, burstWhenBatchFull: true }, async (jobs) => {
      for (const job of jobs) {
        work(job.data.number);
      }
    }),
});
