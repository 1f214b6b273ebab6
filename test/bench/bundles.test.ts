import { describe, expect, it } from 'vitest'
import { fresh, templateOf } from '../../bench/bundles.ts'
import { seeded } from '../../bench/random.ts'
import { recordBundle } from '../../bench/record-bundle.ts'

interface Entry {
  fullUrl: string
  resource: { resourceType: string; id: string; subject?: { reference: string } }
  request: { method: string; url: string }
}
const entriesOf = (text: string) => (JSON.parse(text) as { entry: Entry[] }).entry

const PATIENT = '57a5a683-f51e-4976-ad1d-c2c4d3385cec'
const BUNDLE = `{
  "resourceType": "Bundle", "type": "transaction",
  "entry": [
    { "fullUrl": "urn:uuid:${PATIENT}", "resource": { "resourceType": "Patient", "identifier": [
      { "value": "999-84-7653" }, { "value": "S99966304" }], "text": { "div": "two  \\" spaces" } } },
    { "fullUrl": "urn:uuid:77742cc4-37db-4bee-b2fc-4abd3b2682bc", "resource": { "resourceType": "Observation",
      "subject": { "reference": "urn:uuid:${PATIENT}" }, "valueQuantity": { "value": 1.00 } } }
  ]
}`

describe('fresh', () => {
  const copy = fresh(templateOf(BUNDLE), seeded(1))

  it('gives new identifiers, the same one wherever the old one stood', () => {
    const [patient, observation] = entriesOf(copy)
    expect(patient!.fullUrl).not.toBe(`urn:uuid:${PATIENT}`)
    expect(observation!.resource.subject!.reference).toBe(patient!.fullUrl)
    expect(copy).not.toContain('999-84-7653')
    expect(copy).not.toContain('S99966304')
    expect(copy).toMatch(/"999-\d\d-\d{4}"/)
  })

  it('is another copy each time, and the same sequence for the same seed', () => {
    const random = seeded(1)
    expect(fresh(templateOf(BUNDLE), random)).toBe(copy)
    expect(fresh(templateOf(BUNDLE), random)).not.toBe(copy)
  })

  it('keeps decimals and the white space within strings, and drops what stands between tokens', () => {
    expect(copy).toContain('"value":1.00')
    expect(copy).toContain('two  \\" spaces')
    expect(copy).not.toMatch(/\n/)
  })
})

describe('recordBundle', () => {
  it('is a transaction of about 200 resources whose references all hold', () => {
    const bundle = recordBundle(seeded(3))
    const entries = entriesOf(JSON.stringify(bundle))
    const known = new Set(entries.map(({ fullUrl }) => fullUrl))
    const references = JSON.stringify(bundle).match(/(?<="reference":")[^"]+/g)!
    expect(entries.length).toBeGreaterThan(150)
    expect(known.size).toBe(entries.length)
    expect(references.filter(reference => !known.has(reference))).toEqual([])
    expect(entries.every(({ resource, request }) => request.url === resource.resourceType)).toBe(true)
  })
})
