// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Pages that need no other file: the picture, and a table to sort and to filter, whose
 * lines a script makes of the same JSON that others can read
 */
#include <stdlib.h>

#include "output.h"

/* So many lines at first, and so many more at a click */
static const char script[] =
	"const map = JSON.parse(document.getElementById('data').textContent);\n"
	"const heads = ['address', 'type', 'size', 'committed', 'private',\n"
	"  'resident', 'swapped', 'locked', 'protection', 'name'];\n"
	"const sizes = heads.slice(2, 8);\n"
	"let key = 'address', down = false, shown = 1000;\n"
	"const find = document.getElementById('find');\n"
	"const type = document.getElementById('type');\n"
	"function cell(line, text, number) {\n"
	"  const td = line.insertCell();\n"
	"  td.textContent = text;\n"
	"  if (number) td.className = 'n';\n"
	"}\n"
	"function number(n) { return Math.round(n / 1024).toLocaleString(); }\n"
	"function add(body, block, run) {\n"
	"  const line = body.insertRow(), of = run || block;\n"
	"  for (const h of heads) {\n"
	"    if (sizes.includes(h)) cell(line, number(of[h]), true);\n"
	"    else if (h === 'type') cell(line, run ? 'run' : of.type);\n"
	"    else cell(line, of[h] === undefined ? '' : of[h]);\n"
	"  }\n"
	"  if (run) line.className = 'run';\n"
	"  return line;\n"
	"}\n"
	"function toggle(body, line, block) {\n"
	"  let next = line.nextSibling;\n"
	"  if (next && next.className === 'run') {\n"
	"    while (next && next.className === 'run') {\n"
	"      next.remove(); next = line.nextSibling;\n"
	"    }\n"
	"    return;\n"
	"  }\n"
	"  for (const run of (block.runs || []).slice().reverse())\n"
	"    line.after(add(body, block, run));\n"
	"}\n"
	"function value(b) {\n"
	"  if (key === 'address') return parseInt(b.address, 16);\n"
	"  return b[key] === undefined ? '' : b[key];\n"
	"}\n"
	"function at(b, a) {\n"
	"  const first = BigInt(b.address);\n"
	"  return a >= first && a < first + BigInt(b.size);\n"
	"}\n"
	"function show() {\n"
	"  const text = find.value.trim().toLowerCase();\n"
	"  const address = /^(0x)?[0-9a-f]{4,16}$/.test(text) ?\n"
	"    BigInt('0x' + text.replace(/^0x/, '')) : null;\n"
	"  const list = map.blocks.filter(b =>\n"
	"    (!type.value || b.type === type.value) && (!text ||\n"
	"     (b.name || '').toLowerCase().includes(text) ||\n"
	"     (address !== null && at(b, address))));\n"
	"  list.sort((a, b) => {\n"
	"    const x = value(a), y = value(b);\n"
	"    return (x < y ? -1 : x > y ? 1 : 0) * (down ? -1 : 1);\n"
	"  });\n"
	"  const body = document.getElementById('rows');\n"
	"  body.replaceChildren();\n"
	"  for (const block of list.slice(0, shown)) {\n"
	"    const line = add(body, block);\n"
	"    line.onclick = () => toggle(body, line, block);\n"
	"  }\n"
	"  document.getElementById('count').textContent =\n"
	"    Math.min(shown, list.length) + ' of ' + list.length + ' blocks';\n"
	"}\n"
	"const head = document.getElementById('heads');\n"
	"for (const h of heads) {\n"
	"  const th = document.createElement('th');\n"
	"  th.textContent = h;\n"
	"  th.onclick = () => {\n"
	"    down = key === h ? !down : sizes.includes(h); key = h; show();\n"
	"  };\n"
	"  head.append(th);\n"
	"}\n"
	"find.oninput = type.onchange = show;\n"
	"document.getElementById('more').onclick = () => {\n"
	"  shown += 1000; show();\n"
	"};\n"
	"show();\n";

static const char style[] =
	"body { font: 13px sans-serif; margin: 1em; }\n"
	"svg { max-width: 100%; height: auto; }\n"
	"table { border-collapse: collapse; }\n"
	"td, th { padding: 1px 8px; text-align: left; white-space: nowrap; }\n"
	"th { cursor: pointer; border-bottom: 1px solid; }\n"
	"td.n { text-align: right; }\n"
	"td { font-family: monospace; }\n"
	"tr:hover { background: #eeeeee; }\n"
	"tr.run { color: #666666; }\n";

static void write_begin(FILE *file, pid_t pid, const char *command)
{
	fprintf(file,
		"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
		"<meta charset=\"utf-8\">\n<title>%d: ",
		pid);
	map_quote_html(file, command);
	fprintf(file, "</title>\n<style>\n%s</style>\n</head>\n<body>\n",
		style);
}

static void write_controls(FILE *file)
{
	unsigned int i;

	fputs("<p><select id=\"type\"><option value=\"\">all types</option>",
	      file);
	for (i = 0; i < MAP_TYPES; i++)
		fprintf(file, "<option>%s</option>", map_type_name(i));
	fputs("</select>\n<input id=\"find\" placeholder=\"name or address\">\n"
	      "<span id=\"count\"></span> <button id=\"more\">more</button>\n"
	      "KiB; a click on a line shows its runs</p>\n"
	      "<table><thead><tr id=\"heads\"></tr></thead>\n"
	      "<tbody id=\"rows\"></tbody></table>\n",
	      file);
}

void map_write_html(const struct map_output *out, const struct map *map)
{
	struct map_output all = *out;

	all.runs = true;
	write_begin(out->file, map->pid, map->command);
	map_write_svg(&all, map);
	write_controls(out->file);
	fputs("<script type=\"application/json\" id=\"data\">\n", out->file);
	map_write_json(&all, map);
	fprintf(out->file,
		"</script>\n<script>\n%s</script>\n</body>\n</html>\n", script);
}

/* As the text has it, quoted */
static void write_sums(const struct map_output *out,
		       const struct map_timeline *timeline)
{
	struct map_output quoted = *out;
	char *text = NULL;
	size_t length;

	quoted.file = open_memstream(&text, &length);
	if (!quoted.file)
		return;
	map_timeline_text(&quoted, timeline);
	fclose(quoted.file);
	map_quote_html(out->file, text);
	free(text);
}

void map_timeline_html(const struct map_output *out,
		       const struct map_timeline *timeline)
{
	FILE *file = out->file;

	write_begin(file, timeline->pid, timeline->command);
	map_timeline_svg(out, timeline);
	fputs("<pre>\n", file);
	write_sums(out, timeline);
	fputs("</pre>\n<script type=\"application/json\" id=\"data\">\n", file);
	map_timeline_json(out, timeline);
	fputs("</script>\n</body>\n</html>\n", file);
}
