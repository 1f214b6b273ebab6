/** The documents of the sample clinic, one of each kind, as they are handed out. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { renderHtml } from '../../../src/documents/render/html.ts'
import { fontFor } from '../../../src/documents/render/pdf/fonts.ts'
import { renderPdf } from '../../../src/documents/render/render-pdf.ts'
import { parseJson, type Resource } from '../../../src/fhir/json.ts'
import { harfbuzz, openPdf, pageText } from './painted.ts'

const FOLDER = join(import.meta.dirname, '../../../bundles/documents')
const files = readdirSync(FOLDER).filter(file => file.endsWith('.json'))

interface Entry {
  resource: {
    resourceType: string
    title?: string
    name?: { text?: string }[]
    section?: { title: string }[]
  }
}

describe.each(files)('%s', file => {
  const text = readFileSync(join(FOLDER, file), 'utf8')
  const entries = (JSON.parse(text) as { entry: Entry[] }).entry.map(({ resource }) => resource)
  const bundle = () => parseJson(text) as Resource
  const said = [
    entries[0]!.title!,
    ...entries[0]!.section!.map(({ title }) => title),
    ...entries.find(one => one.resourceType === 'Patient')!.name!.map(name => name.text!),
  ].filter(words => words !== undefined)

  it('says its title, its patient and its sections in both renderings', async () => {
    const page = await renderHtml(bundle(), { zone: 'Asia/Kolkata' })
    const pdf = await openPdf(await renderPdf(bundle(), { zone: 'Asia/Kolkata', harfbuzz }))
    let all = ''
    for (let number = 1; number <= pdf.numPages; number++) all += await pageText(pdf, number)
    expect(said.length).toBeGreaterThan(2)
    for (const words of said) {
      expect(page).toContain(words)
      // A vowel in two halves is read back as two characters, which are canonically the same.
      expect(all.normalize('NFC')).toContain(words.normalize('NFC'))
    }
    // Every character has a font, so nothing is a box.
    expect([...all].filter(char => char > ' ' && fontFor(char.codePointAt(0)!, false) === undefined)).toEqual(
      [],
    )
  })
})
