// Whether Lua files are laid out as stylua would, by editors/nvim/stylua.toml; with --write they are laid out so.
// usage: node style.mjs [--write] FILE…      (NODE_MODULES: a folder in which @johnnymorganz/stylua is installed)
import { createRequire } from 'node:module';
import { readFileSync, writeFileSync } from 'node:fs';

const stylua = createRequire(`${process.env.NODE_MODULES}/`)('@johnnymorganz/stylua');
const toml = readFileSync(new URL('../../editors/nvim/stylua.toml', import.meta.url), 'utf8');
const setting = name => new RegExp(`^${name} = "?([^"\\n]+)"?$`, 'm').exec(toml)[1];

const config = () => Object.assign(stylua.Config.new(), {
  column_width: Number(setting('column_width')),
  indent_type: stylua.IndentType[setting('indent_type')],
  indent_width: Number(setting('indent_width')),
  quote_style: stylua.QuoteStyle[setting('quote_style')],
});

const files = process.argv.slice(2).filter(argument => argument !== '--write');
const changed = files.filter(file => {
  const text = readFileSync(file, 'utf8');
  const formatted = stylua.formatCode(text, config(), undefined, stylua.OutputVerification.None);
  if (formatted !== text && process.argv.includes('--write')) writeFileSync(file, formatted);
  return formatted !== text;
});
for (const file of changed) console.log(`${file}: not laid out as stylua.toml says`);
process.exit(changed.length ? 1 : 0);
