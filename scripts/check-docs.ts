import { join, relative } from "node:path";
import ts from "typescript";
import { compilerOptions } from "./compiler.ts";
import { entryPoints } from "./package.ts";
import { reportProblems } from "./problems.ts";

/**
 * Every symbol that an entry point of the package exports, and every member of it that a user or a
 * subclass sees, but has no docstring.
 */
export function checkDocs(root: string): string[] {
  const files = [...entryPoints(root).values()].map((file) => join(root, file));
  const program = ts.createProgram(files, compilerOptions(root));
  const checker = program.getTypeChecker();
  const problems = new Set<string>();
  let seen = 0;

  const inspect = (symbol: ts.Symbol, name: string): void => {
    const declarations = (symbol.declarations ?? []).filter((at) => isOurs(root, at));
    const [first] = declarations;
    if (first === undefined) return;
    seen += 1;
    if (symbol.getDocumentationComment(checker).length === 0)
      problems.add(`${place(root, first)}: ${name} has no docstring`);
    for (const declaration of declarations)
      for (const member of membersOf(declaration)) {
        const found = checker.getSymbolAtLocation(member.name);
        if (found) inspect(found, `${name}.${member.name.getText()}`);
      }
  };

  for (const file of files) {
    const source = program.getSourceFile(file);
    const module = source && checker.getSymbolAtLocation(source);
    if (!module) {
      problems.add(`${relative(root, file)}: an entry point of package.json, but no module`);
      continue;
    }
    for (const symbol of checker.getExportsOfModule(module)) {
      const alias = symbol.flags & ts.SymbolFlags.Alias;
      inspect(alias ? checker.getAliasedSymbol(symbol) : symbol, symbol.name);
    }
  }
  if (seen === 0) problems.add("no export was seen: the check did not work");
  return [...problems].toSorted();
}

type Named = ts.Declaration & { readonly name: ts.Identifier | ts.StringLiteral };

/** The members that have a docstring of their own; phantom members (`"~…"`) are for the compiler. */
function membersOf(declaration: ts.Declaration): Named[] {
  const type = ts.isTypeAliasDeclaration(declaration) ? declaration.type : declaration;
  if (!(ts.isClassLike(type) || ts.isInterfaceDeclaration(type) || ts.isTypeLiteralNode(type)))
    return [];
  return [...type.members].filter(
    (member): member is typeof member & Named =>
      member.name !== undefined &&
      (ts.isIdentifier(member.name) || ts.isStringLiteral(member.name)) &&
      !(ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Private) &&
      !/^(~|SLUICE_)/.test(member.name.text),
  );
}

const isOurs = (root: string, node: ts.Node): boolean =>
  node.getSourceFile().fileName.startsWith(join(root, "src/"));

function place(root: string, node: ts.Node): string {
  const file = node.getSourceFile();
  return `${relative(root, file.fileName)}:${file.getLineAndCharacterOfPosition(node.getStart()).line + 1}`;
}

if (import.meta.main) await reportProblems(checkDocs);
