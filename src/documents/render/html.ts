/** The HTML of a document: one page without scripts and without anything from elsewhere, to be read and printed. */
import type { Resource } from '../../fhir/json.ts'
import { toBase64 } from '../../lib/base64.ts'
import {
  type Block,
  type Cell,
  charactersOf,
  clean,
  type Fact,
  type Line,
  type Section,
  type Sheet,
  type Span,
} from './sheet.ts'
import { type RenderOptions, sheetOf } from './sheet-of.ts'
import { FAMILIES, STYLE } from './style.ts'
import { type WebFonts, webFonts } from './web-fonts.ts'

/**
 * Returns the page. Whatever stands in the document is text in it, never markup.
 *
 * Throws as `sheetOf` does.
 */
export async function renderHtml(bundle: Resource, options: RenderOptions): Promise<string> {
  const sheet = sheetOf(bundle, options)
  return page(sheet, await webFonts(charactersOf(sheet)))
}

const ESCAPES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

const escaped = (text: string): string => clean(text).replace(/[&<>"']/g, char => ESCAPES[char]!)

const GRAPHEMES = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** Returns the text with places in which its long words may be broken. */
const breakable = (text: string): string =>
  clean(text)
    .split(/(\s+)/)
    .map(word => (word.length < 28 ? escaped(word) : pieces(word).map(escaped).join('<wbr>')))
    .join('')

function pieces(word: string): string[] {
  const found = ['']
  for (const { segment } of GRAPHEMES.segment(word))
    if (found.at(-1)!.length < 12) found[found.length - 1] += segment
    else found.push(segment)
  return found
}

function page(sheet: Sheet, fonts: WebFonts): string {
  const { letterhead } = sheet
  return [
    '<!DOCTYPE html>',
    `<html lang="${escaped(sheet.language)}">`,
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="referrer" content="no-referrer">',
    `<title>${escaped(sheet.running)}</title>`,
    `<style>${fonts.faces}${STYLE}body{font-family:${fonts.families}${FAMILIES}}</style>`,
    '</head>',
    '<body>',
    '<main>',
    '<header class="letterhead">',
    `<div><p class="name">${escaped(letterhead.name)}</p>${letterhead.lines.map(line => `<p>${escaped(line)}</p>`).join('')}</div>`,
    `<div class="marks">${letterhead.marks.map(line => `<p>${escaped(line)}</p>`).join('')}</div>`,
    '</header>',
    ...sheet.notices.map(notice => `<p class="notice" role="alert">${escaped(notice)}</p>`),
    `<div class="title"><h1>${escaped(sheet.title)}</h1><p>${escaped(sheet.date)}</p></div>`,
    factList(sheet.patient, 'patient'),
    factList(sheet.visit, ''),
    ...sheet.sections.map(sectionHtml),
    ...sheet.signatures.map(one => `<div class="signature">${lines(one)}</div>`),
    `<footer>${escaped(sheet.footer)}</footer>`,
    '</main>',
    '</body>',
    '</html>',
    '',
  ].join('\n')
}

function factList(facts: readonly Fact[], name: string): string {
  if (facts.length === 0) return ''
  const items = facts.map(
    ({ label, value }) => `<div><dt>${escaped(label)}</dt><dd>${lines(value)}</dd></div>`,
  )
  // The first half stands on the left, as in the PDF.
  return `<dl class="facts ${name}" style="--rows:${Math.ceil(facts.length / 2)}">${items.join('')}</dl>`
}

function sectionHtml({ title, level, blocks }: Section): string {
  const heading = `h${Math.min(level + 1, 6)}`
  return `<section><${heading}>${escaped(title)}</${heading}>${blocks.map(blockHtml).join('')}</section>`
}

function blockHtml(block: Block): string {
  if (block.kind === 'heading') return `<p class="heading">${escaped(block.text)}</p>`
  if (block.kind === 'text') return lines(block.lines)
  if (block.kind === 'facts') return factList(block.facts, '')
  if (block.kind === 'list') return `<ul>${block.items.map(item => `<li>${lines(item)}</li>`).join('')}</ul>`
  if (block.kind === 'image') {
    const caption = escaped(block.caption)
    const data = `data:${block.contentType};base64,${toBase64(block.bytes)}`
    return `<figure><img alt="${caption}" src="${data}"><figcaption>${caption}</figcaption></figure>`
  }
  const side = (i: number): string => (block.columns[i]?.right ? ' class="right"' : '')
  const heads = block.columns.map(({ title }, i) => `<th scope="col"${side(i)}>${escaped(title)}</th>`)
  const rows = block.rows.map(
    row =>
      `<tr${row.total ? ' class="total"' : ''}>${row.cells.map((cell, i) => `<td${side(i)}>${lines(cell)}</td>`).join('')}</tr>`,
  )
  return `<div class="wide"><table><thead><tr>${heads.join('')}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`
}

const lines = (cell: Cell): string =>
  cell.map((line: Line) => `<p>${line.map(spanHtml).join('')}</p>`).join('')

function spanHtml({ text, bold, tone, struck }: Span): string {
  let html = breakable(text)
  if (struck) html = `<s>${html}</s>`
  if (bold) html = `<b>${html}</b>`
  return tone === undefined ? html : `<span class="${tone}">${html}</span>`
}
