/** Documents spoilt in random places: rendered, or refused in clear words; never anything else, and never for long. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { seeded } from '../../../bench/random.ts'
import { renderHtml } from '../../../src/documents/render/html.ts'
import { renderPdf } from '../../../src/documents/render/render-pdf.ts'
import { FhirError } from '../../../src/fhir/error.ts'
import { isObject, type Json, NumberText, parseJson, type Resource } from '../../../src/fhir/json.ts'
import { harfbuzz } from './painted.ts'

const FOLDER = join(import.meta.dirname, '../../../bundles/documents')
const next = seeded(20_261_121)
const one = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)]!

const ODD: readonly Json[] = [
  null,
  true,
  '',
  'x'.repeat(3000),
  '\u202e\u0000<b>',
  'ക്ഷ്'.repeat(50),
  '\u{1f600} 漢字',
  '\u0e01\u0627\u0644',
  ' \u200d\u094d\u093f',
  '2026-13-99',
  '2026-99-99T99:99:99Z',
  new NumberText('1e400'),
  new NumberText('-0'),
  [],
  {},
  [null],
  [[{}]],
  { reference: '#x' },
]

/** Returns every place in a tree: what holds it and its name there. */
function places(tree: Json): [Record<string, Json>, string][] {
  if (!isObject(tree) && !Array.isArray(tree)) return []
  const holder = tree as Record<string, Json>
  return Object.keys(holder).flatMap(name => [
    [holder, name] as [Record<string, Json>, string],
    ...places(holder[name]!),
  ])
}

it('200 of them', { timeout: 60_000 }, async () => {
  const texts = readdirSync(FOLDER).map(file => readFileSync(join(FOLDER, file), 'utf8'))
  let refused = 0
  for (let round = 0; round < 200; round++) {
    const bundle = parseJson(one(texts)) as Resource
    const all = places(bundle)
    const spoilt = Array.from({ length: 1 + Math.floor(next() * 8) }, () => one(all))
    for (const [holder, name] of spoilt) holder[name] = one(ODD)
    const started = performance.now()
    try {
      await renderPdf(bundle, { zone: 'Asia/Kolkata', harfbuzz })
      await renderHtml(bundle, { zone: 'Asia/Kolkata' })
    } catch (error) {
      if (!(error instanceof FhirError))
        throw new Error(`round ${round}: ${spoilt.map(([, name]) => name)}`, { cause: error })
      refused++
    }
    expect(performance.now() - started).toBeLessThan(5000)
  }
  expect(refused).toBeLessThan(100)
})
