// Bundle the editor: node build.mjs OUT MARK. Beside OUT the licences of all that is in it are written.
// The first line of OUT holds MARK, by which the next build knows that nothing has changed.
import { readFile, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { build } from "esbuild";

const [out, mark] = process.argv.slice(2);
const { metafile } = await build({
  entryPoints: ["editor.js"],
  outfile: out,
  bundle: true,
  minify: true,
  charset: "utf8",
  format: "iife",
  target: "es2020",
  banner: { js: `/* ${mark} · licences: editor.licences.txt */` },
  logLevel: "warning",
  metafile: true,
});

const packages = new Set();
for (const path of Object.keys(metafile.inputs)) {
  const found = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path);
  if (found) packages.add(found[1]);
}
const told = [];
for (const name of [...packages].sort()) {
  const folder = join("node_modules", name);
  const { version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  const file = (await readdir(folder)).find((each) => /^licen[cs]e/i.test(each));
  const text = file ? await readFile(join(folder, file), "utf8") : "";
  told.push(`${name} ${version} (${license})\n\n${text.trim()}\n`);
}
await writeFile(join(dirname(out), "editor.licences.txt"), told.join("\n\n"));
