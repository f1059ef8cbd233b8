// BullMQ: a queue that pushes with `add`, and a worker with a concurrency. Done jobs are deleted, as ours are.
import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import { BATCH, JOBS, address, measure } from "./measure.mjs";

const QUEUE = "numbers";
const connect = () => new Redis(address, { maxRetriesPerRequest: null });
const queue = new Queue(QUEUE, { connection: connect(), defaultJobOptions: { removeOnComplete: true } });

await measure({
  push: (number) => queue.add("number", { number }),
  fill: async () => {
    for (let first = 0; first < JOBS; first += BATCH) {
      const jobs = Array.from({ length: BATCH }, (_, n) => ({ name: "number", data: { number: first + n } }));
      await queue.addBulk(jobs);
    }
  },
  start: async (concurrency, work) => {
    new Worker(QUEUE, async (job) => work(job.data.number), { connection: connect(), concurrency });
  },
});
