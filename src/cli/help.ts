import { type CommandName, optionNames, optionTexts } from "./options.ts";

const pipeText = `sluice pipe: stream lines to every browser that joined, with back-pressure

  tail -f app.log | npx sluice pipe --topic logs:app
      and open http://localhost:4000: the page shows what arrives
  npx sluice pipe --topic logs:app --file /var/log/app.log
      the same, and it survives rotation and truncation
  mosquitto_sub -t sensors | npx sluice pipe --topic sensors --format ndjson
      a JSON object is the payload as it is; anything else is { "data": … }
  seq 1 1000000 | npx sluice pipe --topic t:1 --concurrency 1 --wait-for 2 --exit
      in order, once two clients are there; ends with a summary
  curl -H 'content-type: application/x-ndjson' --data-binary @events.ndjson localhost:4000/events
      up to 1 MiB is taken whole or not at all; any size with /events?partial=1

Your own client, with the stock package (npm install phoenix):
  const socket = new Socket("ws://localhost:4000/socket");
  socket.connect();
  const channel = socket.channel("logs:app", { token }); // the token only with --token
  channel.on("push", (payload) => console.log(payload));
  channel.join();
`;

const demoText = `sluice demo: this machine's own figures, live in every browser that joined

  npx sluice demo                 and open http://localhost:4000
  PORT=8080 npx sluice demo       on another port
  curl -H 'content-type: application/json' -d '{"hello":"you"}' localhost:4000/events
`;

const overview = `sluice: real-time data pipelines with back-pressure, from source to browser

  npx sluice demo                                      see it live at http://localhost:4000
  tail -f app.log | npx sluice pipe --topic logs:app   stream your own lines

  sluice pipe --help      all about pipe
  sluice demo --help      all about the demo
  sluice --version
`;

const pipeEnd = `
What is slow holds up what is before it: the writer of the pipe blocks and memory stays flat.
Ctrl-C delivers what is in hand, a second one ends at once. Exit code 2: a wrong option.
`;

/** The text of `sluice --help`, or of one command: examples first, then every option. */
export function help(of: CommandName | undefined): string {
  if (of === undefined) return overview;
  return `${of === "pipe" ? pipeText : demoText}\nOptions (default)\n${optionLines(of)}${of === "pipe" ? pipeEnd : ""}`;
}

function optionLines(command: CommandName): string {
  return optionNames(command)
    .map((name) => {
      const { value, about } = optionTexts[name] ?? { about: "" };
      return `  ${`--${name}${value === undefined ? "" : ` ${value}`}`.padEnd(24)} ${about}\n`;
    })
    .join("");
}
