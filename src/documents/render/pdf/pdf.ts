/** The PDF of a document: letterhead, facts, sections, signatures; a footer on every page. ISO 32000-2. */
import type { Cell, Picture, RenderLimits, Sheet } from '../sheet.ts'
import { charactersOf, clean } from '../sheet.ts'
import { BODY, bold, paintBlock, paintFacts, paintHeading, paintLines, SMALL } from './blocks.ts'
import { createPdfFile, pdfText } from './file.ts'
import { breakLine } from './lines.ts'
import { A4, ACCENT, ALERT, createPages, INNER, MARGIN, MUTED, type Pages, RULE, TINT } from './pages.ts'
import { type Embedded, embedPicture } from './picture.ts'
import { openShaper } from './shaper.ts'
import { openTypeface, type Typeface } from './typeface.ts'

/** Returns the PDF. `harfbuzz` is the compiled module of the shaper; `created` ms since 1970. Throws `too-costly` (413) for too many pages. */
export async function paintPdf(
  sheet: Sheet,
  options: {
    harfbuzz: WebAssembly.Module
    created: number
    limits: RenderLimits
  },
): Promise<Uint8Array<ArrayBuffer>> {
  const file = createPdfFile()
  const type = await openTypeface(await openShaper(options.harfbuzz), charactersOf(sheet))
  const pictures = new Map<Picture, Embedded>()
  for (const { blocks } of sheet.sections)
    for (const block of blocks) {
      if (block.kind !== 'image') continue
      const embedded = await embedPicture(file, block)
      if (embedded !== undefined) pictures.set(block, embedded)
    }

  const pages = createPages(type, options.limits.pages, paintRunning(type, sheet))
  paintFront(type, pages, sheet)
  for (const { title, level, blocks } of sheet.sections) {
    paintHeading(type, pages, title, level)
    for (const block of blocks) paintBlock(type, pages, block, pictures)
    pages.y += 2
  }
  paintSignatures(type, pages, sheet.signatures)
  for (const page of pages.contents.keys()) paintFooter(type, pages, sheet.footer, page)

  const tree = file.reserve()
  const fonts = await type.embed(file)
  const images = [...pictures.values()].map(({ object }) => `/I${object} ${object} 0 R`).join(' ')
  const resources = file.add(`<< /Font << ${fonts} >> /XObject << ${images} >> >>`)
  const kids: number[] = []
  for (const operators of pages.contents) {
    const content = await file.stream('', new TextEncoder().encode(operators.join('\n')))
    kids.push(
      file.add(
        `<< /Type /Page /Parent ${tree} 0 R /MediaBox [0 0 ${A4.width} ${A4.height}] ` +
          `/Resources ${resources} 0 R /Contents ${content} 0 R >>`,
      ),
    )
  }
  file.add(
    `<< /Type /Pages /Count ${kids.length} /Kids [${kids.map(kid => `${kid} 0 R`).join(' ')}] >>`,
    tree,
  )
  const root = file.add(
    `<< /Type /Catalog /Pages ${tree} 0 R /Lang ${pdfText(sheet.language)} /ViewerPreferences << /DisplayDocTitle true >> >>`,
  )
  const stamp = new Date(options.created).toISOString().replace(/\D/g, '').slice(0, 14)
  const info = file.add(
    `<< /Title ${pdfText(clean(sheet.title))} /Author ${pdfText(clean(sheet.letterhead.name))} /Producer (Nadi) /CreationDate (D:${stamp}Z) >>`,
  )
  return file.end(root, info)
}

function paintRunning(type: Typeface, { running }: Sheet): (pages: Pages) => void {
  return pages => {
    const [line] = breakLine(type, [{ text: running }], SMALL, INNER)
    pages.text(line!, MARGIN.side, pages.y, MUTED)
    pages.box(MARGIN.side, pages.y + line!.height + 2, INNER, 0.5, RULE)
    pages.y += line!.height + 12
  }
}

function paintFront(type: Typeface, pages: Pages, sheet: Sheet): void {
  const { name, lines, marks } = sheet.letterhead
  const top = pages.y
  const half = INNER * 0.62
  paintLines(type, pages, [bold(name)], {
    size: 16,
    color: ACCENT,
    width: half,
  })
  const cell = (texts: readonly string[]): Cell => texts.map(text => [{ text }])
  paintLines(type, pages, cell(lines), {
    size: 8.4,
    color: MUTED,
    width: half,
  })
  const left = pages.y
  pages.y = top + 5
  const x = MARGIN.side + half + 12
  paintLines(type, pages, cell(marks), {
    size: 8,
    color: MUTED,
    x,
    width: INNER - half - 12,
    right: true,
  })
  pages.y = Math.max(left, pages.y) + 6
  pages.box(MARGIN.side, pages.y, INNER, 1.6, ACCENT)
  pages.y += 10

  for (const notice of sheet.notices) {
    const laid = breakLine(type, bold(notice), 9.5, INNER - 16)
    const height = laid.reduce((sum, one) => sum + one.height, 8)
    pages.box(MARGIN.side, pages.y, INNER, height, [0.99, 0.93, 0.93])
    pages.box(MARGIN.side, pages.y, 3, height, ALERT)
    pages.y += 4
    paintLines(type, pages, [bold(notice)], {
      size: 9.5,
      color: ALERT,
      x: MARGIN.side + 9,
      width: INNER - 16,
    })
    pages.y += 9
  }

  const date = breakLine(type, [{ text: sheet.date }], BODY, INNER / 2)[0]!
  pages.text(date, MARGIN.side + INNER - date.width, pages.y + 4, MUTED)
  paintLines(type, pages, [bold(sheet.title)], {
    size: 13,
    width: INNER - date.width - 14,
  })
  pages.y += 6
  paintFacts(type, pages, sheet.patient, TINT)
  paintFacts(type, pages, sheet.visit)
}

function paintSignatures(type: Typeface, pages: Pages, signatures: readonly Cell[]): void {
  const width = INNER / 2
  for (const cell of signatures) {
    const height = cell.length * 14 + 34
    pages.need(height)
    pages.y += 26
    pages.box(MARGIN.side + width, pages.y, width, 0.6, MUTED)
    pages.y += 3
    paintLines(type, pages, cell, { size: 8.6, x: MARGIN.side + width, width })
    pages.y += 5
  }
}

function paintFooter(type: Typeface, pages: Pages, footer: string, page: number): void {
  pages.turnTo(page)
  const y = A4.height - MARGIN.bottom + 14
  pages.box(MARGIN.side, y, INNER, 0.5, RULE)
  const [count] = breakLine(type, [{ text: `Page ${page + 1} of ${pages.contents.length}` }], SMALL, 100)
  pages.text(count!, MARGIN.side + INNER - count!.width, y + 4, MUTED)
  const [line] = breakLine(type, [{ text: footer }], SMALL, INNER - count!.width - 20)
  pages.text(line!, MARGIN.side, y + 4, MUTED)
}
