/** Extensions: known, where they may stand, what they hold. https://hl7.org/fhir/R4/defining-extensions.html */
import { describe, expect, it } from 'vitest'
import { broken, extensionDefinition, type Tree, URL } from './held.ts'

const patient = (more: object): Tree => ({ resourceType: 'Patient', ...more })
const colour = extensionDefinition('colour', [
  ['Extension.extension', { max: '0' }],
  ['Extension.value[x]', { min: 1, type: [{ code: 'code' }] }],
])
const at = (context: object[], more: object = {}) => ({
  definitions: [
    extensionDefinition('e', [['Extension.value[x]', { type: [{ code: 'string' }] }]], { context, ...more }),
  ],
})
const e = { url: `${URL}/e`, valueString: 'x' }
const element = (expression: string) => at([{ type: 'element', expression }])

describe('an extension', () => {
  it('that is not known is information, and an error where it modifies', async () => {
    const extension = [{ url: 'http://x.org/unknown', valueString: 'x' }]
    expect(await broken(patient({ extension }), {}, true)).toEqual([
      'information extension-unknown Patient.extension[0]',
    ])
    expect(await broken(patient({ modifierExtension: extension }))).toEqual([
      'extension-unknown Patient.modifierExtension[0]',
    ])
  })
  it('is what its definition says', async () => {
    const of = (extension: object) =>
      broken(patient({ extension: [{ url: colour.url, ...extension }] }), { definitions: [colour] })
    expect(await of({ valueCode: 'red' })).toEqual([])
    expect(await of({ valueString: 'red' })).toEqual(['type Patient.extension[0].value'])
    expect(await of({ extension: [{ url: 'x', valueCode: 'red' }] })).toEqual([
      'cardinality-max Patient.extension[0].extension[0]',
      'cardinality-min Patient.extension[0].value',
    ])
  })
  it('of a primitive is held against its definition as well', async () => {
    const _birthDate = { extension: [{ url: colour.url, valueString: 'red' }] }
    expect(await broken(patient({ birthDate: '2000', _birthDate }), { definitions: [colour] })).toEqual([
      'type Patient.birthDate.extension[0].value',
    ])
  })
  it('of several parts has those of its definition, and no others', async () => {
    const part = (name: string): [string, object][] => [
      [`Extension.extension:${name}`, { min: 1, max: '1' }],
      [`Extension.extension:${name}.url`, { fixedUri: name }],
      [`Extension.extension:${name}.value[x]`, { min: 1, type: [{ code: 'string' }] }],
    ]
    const whole = extensionDefinition('whole', [
      [
        'Extension.extension',
        { slicing: { discriminator: [{ type: 'value', path: 'url' }], rules: 'closed' } },
      ],
      ...part('one'),
      ...part('two'),
      ['Extension.value[x]', { max: '0' }],
    ])
    const of = (...names: string[]) =>
      broken(
        patient({
          extension: [{ url: whole.url, extension: names.map(url => ({ url, valueString: 'x' })) }],
        }),
        { definitions: [whole] },
      )
    expect(await of('one', 'two')).toEqual([])
    expect(await of('one')).toEqual(['slice-min Patient.extension[0].extension'])
    expect(await of('one', 'two', 'three')).toEqual(['slice-closed Patient.extension[0].extension[2]'])
  })
  it('that modifies stands in modifierExtension, and others do not', async () => {
    const modifier = extensionDefinition('m', [
      ['Extension', { isModifier: true, isModifierReason: 'x' }],
      ['Extension.value[x]', { type: [{ code: 'boolean' }] }],
    ])
    const own = [{ url: modifier.url, valueBoolean: true }]
    const definitions = [modifier, colour]
    expect(await broken(patient({ modifierExtension: own }), { definitions })).toEqual([])
    expect(await broken(patient({ extension: own }), { definitions })).toEqual([
      'extension-modifier Patient.extension[0]',
    ])
    const plain = [{ url: colour.url, valueCode: 'red' }]
    expect(await broken(patient({ modifierExtension: plain }), { definitions })).toEqual([
      'extension-modifier Patient.modifierExtension[0]',
    ])
  })
})

describe('the context of an extension', () => {
  const contact = (more: object) => patient({ contact: [{ name: { text: 'x', ...more } }] })
  const cases: [string, Tree, boolean][] = [
    ['Patient', patient({ extension: [e] }), true],
    ['DomainResource', patient({ extension: [e] }), true],
    ['Resource', patient({ extension: [e] }), true],
    ['Element', patient({ extension: [e] }), true],
    ['Observation', patient({ extension: [e] }), false],
    ['Patient.contact', patient({ contact: [{ name: { text: 'x' }, extension: [e] }] }), true],
    ['Patient.contact', contact({ extension: [e] }), false],
    ['Patient.contact.name', contact({ extension: [e] }), true],
    ['HumanName', contact({ extension: [e] }), true],
    ['HumanName.family', contact({ family: 'y', _family: { extension: [e] } }), true],
    ['Patient.name', contact({ extension: [e] }), false],
    ['string', contact({ family: 'y', _family: { extension: [e] } }), true],
    ['Patient.deceased[x]', patient({ deceasedBoolean: true, _deceasedBoolean: { extension: [e] } }), true],
  ]
  it.each(cases)('%s is an element or a type', async (expression, resource, allowed) => {
    const found = await broken(resource, element(expression))
    expect(found.map(one => one.split(' ')[0])).toEqual(allowed ? [] : ['extension-context'])
  })
  it('of type extension is the url of the extension around it', async () => {
    const outer = extensionDefinition('outer', [['Extension.value[x]', { max: '0' }]])
    const of = (url: string) => ({
      definitions: [outer, ...at([{ type: 'extension', expression: url }]).definitions],
    })
    const resource = patient({ extension: [{ url: outer.url, extension: [e] }] })
    expect(await broken(resource, of(outer.url))).toEqual([])
    expect(await broken(resource, of(`${URL}/other`))).toEqual([
      'extension-context Patient.extension[0].extension[0]',
    ])
  })
  it('of type fhirpath finds the element in the resource', async () => {
    const of = at([{ type: 'fhirpath', expression: "name.where(use = 'official')" }])
    const name = (use: string) =>
      patient({
        name: [
          { use: 'usual', text: 'a' },
          { use, text: 'b', extension: [e] },
        ],
      })
    expect(await broken(name('official'), of)).toEqual([])
    expect(await broken(name('old'), of)).toEqual(['extension-context Patient.name[1].extension[0]'])
  })
  it('has invariants', async () => {
    const of = at([{ type: 'element', expression: 'Patient' }], {
      contextInvariant: ['%resource.active = true'],
    })
    expect(await broken(patient({ active: true, extension: [e] }), of)).toEqual([])
    expect(await broken(patient({ active: false, extension: [e] }), of)).toEqual([
      'extension-context Patient.extension[0]',
    ])
  })
})
