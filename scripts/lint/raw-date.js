// oxlint has no rule that tells `new Date()` (the wall clock) from `new Date(ms)` (a value).
// JavaScript, because the linter loads it with whatever Node started it.

const message = "Time comes from the Runtime: pass it on as milliseconds, `new Date(ms)`.";

export default {
  meta: { name: "sluice" },
  rules: {
    "raw-date": {
      create(context) {
        const report = (node) => {
          if (node.callee.name === "Date" && node.arguments.length === 0)
            context.report({ node, message });
        };
        return { NewExpression: report, CallExpression: report };
      },
    },
  },
};
