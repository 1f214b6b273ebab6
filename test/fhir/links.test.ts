/** https://hl7.org/fhir/R4/http.html#trules */
import { describe, expect, test } from 'vitest'
import { parseJson, type Resource, writeJson } from '../../src/fhir/json.ts'
import { mapLinks, placeOfReference } from '../../src/fhir/links.ts'

const OLD = 'urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a'
const rewrite = (text: string): string =>
  writeJson(mapLinks(parseJson(text) as Resource, link => (link === OLD ? 'Patient/7' : link)))

describe('links are rewritten', () => {
  test.each([
    ['a Reference', '{"resourceType":"Observation","subject":{"reference":"#"}}'],
    [
      'a Reference in a list',
      '{"resourceType":"Observation","performer":[{"display":"x"},{"reference":"#"}]}',
    ],
    [
      'a Reference in a backbone element',
      '{"resourceType":"Encounter","participant":[{"individual":{"reference":"#"}}]}',
    ],
    [
      'a Reference in an extension',
      '{"resourceType":"Patient","extension":[{"url":"x","valueReference":{"reference":"#"}}]}',
    ],
    [
      'a Reference in the extension of a primitive',
      '{"resourceType":"Patient","_birthDate":{"extension":[{"url":"x","valueReference":{"reference":"#"}}]}}',
    ],
    [
      'a Reference in the extension of a repeating primitive',
      '{"resourceType":"Patient","name":[{"_given":[null,{"extension":[{"url":"x","valueUrl":"#"}]}]}]}',
    ],
    [
      'a Reference in a contained resource',
      '{"resourceType":"Observation","contained":[{"resourceType":"Specimen","subject":{"reference":"#"}}]}',
    ],
    ['a url', '{"resourceType":"DocumentReference","content":[{"attachment":{"url":"#"}}]}'],
    ['a uri', '{"resourceType":"Patient","identifier":[{"system":"#"}]}'],
    ['a uri of a list', '{"resourceType":"ServiceRequest","instantiatesUri":["x","#"]}'],
    ['an oid', '{"resourceType":"Patient","extension":[{"url":"x","valueOid":"#"}]}'],
    ['a uuid', '{"resourceType":"Patient","extension":[{"url":"x","valueUuid":"#"}]}'],
    [
      'a resource in Parameters',
      '{"resourceType":"Parameters","parameter":[{"name":"r","resource":{"resourceType":"Condition","subject":{"reference":"#"}}}]}',
    ],
  ])('%s', (_, text) => {
    expect(rewrite(text.replaceAll('#', OLD))).toBe(text.replaceAll('#', 'Patient/7'))
  })

  test('an element defined by contentReference', () => {
    const text =
      '{"resourceType":"Parameters","parameter":[{"name":"p","part":[{"name":"q","valueUri":"#"}]}]}'
    expect(rewrite(text.replace('#', OLD))).toBe(text.replace('#', 'Patient/7'))
  })

  test('hrefs and srcs of a narrative, in either quotes', () => {
    const div = `<div xmlns='http://www.w3.org/1999/xhtml'><a href='${OLD}'>a</a><img alt='x' src = '${OLD}'/><p>${OLD}</p></div>`
    const text = writeJson({ resourceType: 'Patient', text: { status: 'generated', div } })
    expect((parseJson(rewrite(text)) as { text: { div: string } }).text.div).toBe(
      `<div xmlns='http://www.w3.org/1999/xhtml'><a href="Patient/7">a</a><img alt='x' src = "Patient/7"/><p>${OLD}</p></div>`,
    )
  })
})

test.each([
  [`<a title="a > b" href="#">x</a>`, `<a title="a > b" href="Patient/7">x</a>`],
  [`<a\n  href = '#'\n>x</a>`, `<a\n  href = "Patient/7"\n>x</a>`],
  [`<img alt='href="#"' src="#"/>`, `<img alt='href="#"' src="Patient/7"/>`],
  [`<a data-href="#" title="#">#</a>`, `<a data-href="#" title="#">#</a>`],
  [`<a src="#">x</a><img href="#"/><abbr href="#"/>`, `<a src="#">x</a><img href="#"/><abbr href="#"/>`],
])('of a narrative the links alone are replaced: %s', (before, after) => {
  const filled = before.replaceAll('#', OLD)
  const text = writeJson({ resourceType: 'Patient', text: { status: 'generated', div: filled } })
  const { div } = (parseJson(rewrite(text)) as { text: { div: string } }).text
  expect(div).toBe(after.replaceAll('#', OLD))
})

describe('left as they are', () => {
  test.each([
    ['canonicals', '{"resourceType":"Questionnaire","derivedFrom":["#"]}'],
    [
      'an extension of type canonical',
      '{"resourceType":"Patient","extension":[{"url":"x","valueCanonical":"#"}]}',
    ],
    ['profiles', '{"resourceType":"Patient","meta":{"profile":["#"]}}'],
    ['strings', '{"resourceType":"Patient","name":[{"text":"#"}]}'],
    [
      'a member called reference that is none',
      '{"resourceType":"Patient","name":[{"text":"x","reference":"#"}]}',
    ],
    [
      'a Bundle inside, whose links are of its own scope',
      '{"resourceType":"Bundle","type":"document","entry":[{"fullUrl":"#","resource":{"resourceType":"Condition","subject":{"reference":"#"}}}]}',
    ],
  ])('%s', (_, text) => {
    const filled = text.replaceAll('#', OLD)
    expect(rewrite(filled)).toBe(filled)
  })

  test('the tree that was given', () => {
    const text = `{"resourceType":"Observation","subject":{"reference":"${OLD}"},"performer":[{"reference":"${OLD}"}]}`
    const tree = parseJson(text) as Resource
    mapLinks(tree, () => 'Patient/7')
    expect(writeJson(tree)).toBe(text)
  })

  test('a resource without such links is the same object', () => {
    const tree = parseJson(
      '{"resourceType":"Patient","managingOrganization":{"reference":"Organization/1"}}',
    ) as Resource
    expect(mapLinks(tree, link => link)).toBe(tree)
  })
})

test('a narrative of unclosed tags is read in time that grows with its length', () => {
  const div = '<a href '.repeat(200_000)
  const start = performance.now()
  rewrite(writeJson({ resourceType: 'Patient', text: { status: 'generated', div } }))
  expect(performance.now() - start).toBeLessThan(2000)
})

test('the place of a reference is its FHIRPath', () => {
  const tree = parseJson(
    '{"resourceType":"Observation","contained":[{"resourceType":"Group","member":[{"entity":{"reference":"Patient/1"}}]}],"performer":[{"reference":"Patient/2"},{"reference":"Patient/3"}]}',
  ) as Resource
  expect(placeOfReference(tree, text => text === 'Patient/3')).toBe('Observation.performer[1].reference')
  expect(placeOfReference(tree, text => text === 'Patient/1')).toBe(
    'Observation.contained[0].member[0].entity.reference',
  )
  expect(placeOfReference(tree, text => text === 'Patient/4')).toBeUndefined()
})
