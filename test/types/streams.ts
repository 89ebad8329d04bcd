// What the compiler refuses where stages meet iterables and streams, and what it must not refuse. Nothing of this runs:
// `tsc` is the test.
import { createReadStream, createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import {
  child,
  from,
  into,
  name,
  observe,
  readable,
  stream,
  subscribe,
  type Consumer,
  type ObservableLike,
  type Producer,
} from "sluice";

const numbers = name<Producer<number>>("numbers");
const texts = name<Producer<string>>("texts");
const print = name<Consumer<string>>("print");

const read: AsyncIterable<number> = stream(numbers, { maxDemand: 5, cancel: "temporary" });
const merged: AsyncIterable<number | string> = stream<number | string>([numbers, { to: texts }]);
const web: ReadableStream<number> = readable(numbers, { strategy: { highWaterMark: 2 } });
void Readable.from(stream(texts));
// @ts-expect-error a consumer is not read
stream(print);
// @ts-expect-error of numbers come no texts
const wrong: AsyncIterable<string> = stream(numbers);
// @ts-expect-error a misspelt option
stream(numbers, { maxDemmand: 5 });
void subscribe(stream(numbers)[Symbol.asyncIterator](), { to: numbers });
// @ts-expect-error a reader of numbers takes no texts
void subscribe(stream(numbers)[Symbol.asyncIterator](), { to: texts });

child(
  from(() => web),
  { name: numbers, demand: "accumulate" },
);
const letters = from(() => ["a"]);
// @ts-expect-error texts under the name of numbers
child(letters, { name: numbers });
child(from<Buffer>(() => createReadStream("in"), { onCancel: "stop" }));
child(
  into<string>(() => createWriteStream("out")),
  { subscribeTo: [texts] },
);
child(
  into(() => new WritableStream<string>()),
  { subscribeTo: [texts] },
);
const written = into(() => new WritableStream<string>());
// @ts-expect-error numbers are no chunks of texts
child(written, { subscribeTo: [numbers] });

declare const clicks: ObservableLike<string>;
child(
  from(() => observe(clicks, { overflow: "latest" })),
  { name: texts },
);
// @ts-expect-error what becomes of too many must be chosen
observe(clicks, { bufferSize: 5 });
void [read, merged, wrong];
