/** https://hl7.org/fhir/R4/fhirpatch.html */
import { describe, expect, test } from 'vitest'
import { FhirError } from '../../src/fhir/error.ts'
import { parseJson, type Resource, writeJson } from '../../src/fhir/json.ts'
import { applyFhirPathPatch } from '../../src/interactions/fhirpath-patch.ts'

/** One operation: its parts as JSON text, `value...` members under the part `value`. */
type Parts = Record<string, string>

const VALUE_TYPES: Record<string, string> = {
  type: 'valueCode',
  path: 'valueString',
  name: 'valueString',
  index: 'valueInteger',
  source: 'valueInteger',
  destination: 'valueInteger',
}

const operation = (parts: Parts): string => {
  const listed = Object.entries(parts).map(([name, value]) =>
    name === 'value'
      ? `{"name":"value",${value}}`
      : `{"name":"${name}","${VALUE_TYPES[name]}":${VALUE_TYPES[name] === 'valueInteger' ? value : JSON.stringify(value)}}`,
  )
  return `{"name":"operation","part":[${listed.join(',')}]}`
}

const apply = (resource: string, ...operations: Parts[]): string => {
  const patch = `{"resourceType":"Parameters","parameter":[${operations.map(operation).join(',')}]}`
  return writeJson(applyFhirPathPatch(parseJson(resource) as Resource, parseJson(patch)))
}

const failure = (resource: string, ...operations: Parts[]): FhirError => {
  try {
    apply(resource, ...operations)
  } catch (error) {
    if (error instanceof FhirError) return error
    throw error
  }
  throw new Error('the patch went through')
}

const patient = (members: string): string => `{"resourceType":"Patient"${members && `,${members}`}}`

describe('add', () => {
  test('a primitive that was not there', () => {
    const add = { type: 'add', path: 'Patient', name: 'birthDate', value: '"valueDate":"1930-01-01"' }
    expect(apply(patient(''), add)).toBe(patient('"birthDate":"1930-01-01"'))
  })
  test('what is there already and does not repeat is refused', () => {
    const add = { type: 'add', path: 'Patient', name: 'birthDate', value: '"valueDate":"1930-01-01"' }
    expect(failure(patient('"birthDate":"1920-01-01"'), add).status).toBe(422)
  })
  test('at the end of a list, and a list that was not there', () => {
    const add = { type: 'add', path: 'Patient', name: 'name', value: '"valueHumanName":{"family":"B"}' }
    expect(apply(patient('"name":[{"family":"A"}]'), add)).toBe(
      patient('"name":[{"family":"A"},{"family":"B"}]'),
    )
    expect(apply(patient(''), add)).toBe(patient('"name":[{"family":"B"}]'))
  })
  test('an element built of parts', () => {
    const value =
      '"part":[{"name":"name","valueHumanName":{"text":"a name"}},{"name":"relationship","valueCodeableConcept":{"text":"aunt"}}]'
    expect(apply(patient(''), { type: 'add', path: 'Patient', name: 'contact', value })).toBe(
      patient('"contact":[{"name":{"text":"a name"},"relationship":[{"text":"aunt"}]}]'),
    )
  })
  test('a choice takes the name of its type', () => {
    const add = { type: 'add', path: 'Patient', name: 'deceased', value: '"valueBoolean":true' }
    expect(apply(patient(''), add)).toBe(patient('"deceasedBoolean":true'))
    expect(failure(patient('"deceasedDateTime":"2020"'), add).status).toBe(422)
    expect(failure(patient(''), { ...add, value: '"valueString":"x"' }).status).toBe(422)
  })
  test('an extension to a primitive', () => {
    const add = {
      type: 'add',
      path: 'Patient.birthDate',
      name: 'extension',
      value: '"valueExtension":{"url":"x"}',
    }
    expect(apply(patient('"birthDate":"1930"'), add)).toBe(
      patient('"birthDate":"1930","_birthDate":{"extension":[{"url":"x"}]}'),
    )
  })
  test('an extension to an item of a list of primitives keeps the places', () => {
    const add = {
      type: 'add',
      path: 'Patient.name.given[1]',
      name: 'extension',
      value: '"valueExtension":{"url":"x"}',
    }
    expect(apply(patient('"name":[{"given":["A","B"]}]'), add)).toBe(
      patient('"name":[{"given":["A","B"],"_given":[null,{"extension":[{"url":"x"}]}]}]'),
    )
  })
  test('a contained resource', () => {
    const value = '"resource":{"resourceType":"Organization","id":"o"}'
    expect(apply(patient(''), { type: 'add', path: 'Patient', name: 'contained', value })).toBe(
      patient('"contained":[{"resourceType":"Organization","id":"o"}]'),
    )
  })
  test('numbers keep their text', () => {
    const value = '"valueQuantity":{"value":1.00,"unit":"mg"}'
    expect(
      apply('{"resourceType":"Observation"}', { type: 'add', path: 'Observation', name: 'value', value }),
    ).toBe('{"resourceType":"Observation","valueQuantity":{"value":1.00,"unit":"mg"}}')
  })
  test.each([
    ['no such place', 'Patient.contact.name', 'text'],
    ['several places', 'Patient.name', 'text'],
    ['no such element', 'Patient', 'nme'],
    ['a place that the type has not', 'Patient.nme', 'text'],
  ])('%s is refused', (_, path, name) => {
    const two = patient('"name":[{"family":"A"},{"family":"B"}]')
    expect(failure(two, { type: 'add', path, name, value: '"valueString":"x"' }).status).toBe(422)
  })
})

describe('insert', () => {
  const insert = (index: string) => ({
    type: 'insert',
    path: 'Patient.identifier',
    index,
    value: '"valueIdentifier":{"value":"n"}',
  })
  const three = patient('"identifier":[{"value":"a"},{"value":"b"}]')
  test.each([
    ['0', ['n', 'a', 'b']],
    ['1', ['a', 'n', 'b']],
    ['2', ['a', 'b', 'n']],
  ])('at %s', (index, values) => {
    expect(apply(three, insert(index))).toBe(
      patient(`"identifier":[${values.map(value => `{"value":"${value}"}`).join(',')}]`),
    )
  })
  test('beyond the end is refused', () => expect(failure(three, insert('3')).status).toBe(422))
  test('into a list that is not there', () => {
    expect(apply(patient(''), insert('0'))).toBe(patient('"identifier":[{"value":"n"}]'))
  })
  test('into what does not repeat is refused', () => {
    expect(
      failure(patient(''), { ...insert('0'), path: 'Patient.gender', value: '"valueCode":"male"' }).status,
    ).toBe(422)
  })
  test('moves the extensions of primitives along', () => {
    const name = patient('"name":[{"given":["A"],"_given":[{"id":"x"}]}]')
    const given = { type: 'insert', path: 'Patient.name[0].given', index: '0', value: '"valueString":"N"' }
    expect(apply(name, given)).toBe(patient('"name":[{"given":["N","A"],"_given":[null,{"id":"x"}]}]'))
  })
})

describe('delete', () => {
  const del = (path: string) => ({ type: 'delete', path })
  test('an element with what stands beside it', () => {
    expect(
      apply(patient('"birthDate":"1930","_birthDate":{"id":"x"},"active":true'), del('Patient.birthDate')),
    ).toBe(patient('"active":true'))
  })
  test('the last item takes the list away', () => {
    expect(apply(patient('"name":[{"family":"A"}]'), del('Patient.name[0]'))).toBe(patient(''))
  })
  test('an item found by where()', () => {
    const phones = patient('"telecom":[{"system":"phone","value":"1"},{"system":"email","value":"a@b"}]')
    expect(apply(phones, del("Patient.telecom.where(system = 'email')"))).toBe(
      patient('"telecom":[{"system":"phone","value":"1"}]'),
    )
  })
  test('an item found by two criteria', () => {
    const phones = patient('"telecom":[{"system":"phone","use":"home"},{"system":"phone","use":"work"}]')
    expect(apply(phones, del("Patient.telecom.where(system='phone' and use='work')"))).toBe(
      patient('"telecom":[{"system":"phone","use":"home"}]'),
    )
  })
  test('an extension by its url', () => {
    const marked = patient('"extension":[{"url":"http://a.b/c"},{"url":"http://a.b/d"}]')
    expect(apply(marked, del("Patient.extension('http://a.b/c')"))).toBe(
      patient('"extension":[{"url":"http://a.b/d"}]'),
    )
  })
  test('first(), last() and positions', () => {
    const names = patient('"name":[{"family":"A"},{"family":"B"},{"family":"C"}]')
    expect(apply(names, del('Patient.name.first()'))).toBe(patient('"name":[{"family":"B"},{"family":"C"}]'))
    expect(apply(names, del('name.last()'))).toBe(patient('"name":[{"family":"A"},{"family":"B"}]'))
    expect(apply(names, del('Patient.name[1]'))).toBe(patient('"name":[{"family":"A"},{"family":"C"}]'))
  })
  test('a choice by type', () => {
    const dead = patient('"deceasedBoolean":true')
    expect(apply(dead, del('Patient.deceased.ofType(boolean)'))).toBe(patient(''))
    expect(apply(dead, del('Patient.deceased.ofType(dateTime)'))).toBe(dead)
  })
  test('what is not there is no fault', () =>
    expect(apply(patient(''), del('Patient.birthDate'))).toBe(patient('')))
  test('several at once are refused', () => {
    expect(failure(patient('"name":[{"family":"A"},{"family":"B"}]'), del('Patient.name')).status).toBe(422)
  })
  test('the whole resource is refused', () => expect(failure(patient(''), del('Patient')).status).toBe(422))
})

describe('replace', () => {
  const replace = (path: string, value: string) => ({ type: 'replace', path, value })
  test('a primitive, and what stood beside the old value goes', () => {
    expect(
      apply(
        patient('"birthDate":"1920","_birthDate":{"id":"x"}'),
        replace('Patient.birthDate', '"valueDate":"1930"'),
      ),
    ).toBe(patient('"birthDate":"1930"'))
  })
  test('an element inside an item', () => {
    const contact = patient('"contact":[{"name":{"text":"a"},"gender":"male"}]')
    expect(apply(contact, replace('Patient.contact[0].gender', '"valueCode":"female"'))).toBe(
      patient('"contact":[{"name":{"text":"a"},"gender":"female"}]'),
    )
  })
  test('an item of a list of primitives', () => {
    expect(
      apply(
        patient('"name":[{"given":["A","B"]}]'),
        replace('Patient.name[0].given[1]', '"valueString":"C"'),
      ),
    ).toBe(patient('"name":[{"given":["A","C"]}]'))
  })
  test('a choice by a value of another type', () => {
    expect(
      apply(patient('"deceasedBoolean":true'), replace('Patient.deceased', '"valueDateTime":"2020"')),
    ).toBe(patient('"deceasedDateTime":"2020"'))
  })
  test('what is not there is refused', () => {
    expect(failure(patient(''), replace('Patient.birthDate', '"valueDate":"1930"')).status).toBe(422)
  })
})

describe('move', () => {
  const move = (source: string, destination: string) => ({
    type: 'move',
    path: 'Patient.identifier',
    source,
    destination,
  })
  const four = patient('"identifier":[{"value":"a"},{"value":"b"},{"value":"c"},{"value":"d"}]')
  test.each([
    ['3', '1', 'adbc'],
    ['3', '0', 'dabc'],
    ['0', '3', 'bcda'],
    ['1', '1', 'abcd'],
  ])('from %s to %s', (source, destination, order) => {
    expect(apply(four, move(source, destination))).toBe(
      patient(`"identifier":[${[...order].map(value => `{"value":"${value}"}`).join(',')}]`),
    )
  })
  test.each([
    ['4', '0'],
    ['0', '4'],
  ])('from %s to %s of four is refused', (source, destination) =>
    expect(failure(four, move(source, destination)).status).toBe(422),
  )
})

describe('paths that are not understood are refused by name: 400', () => {
  test.each([
    ['Patient.name.resolve()', 'resolve()'],
    ['Patient.name.where(family = given)', 'where() compares'],
    ["Patient.name.where(family != 'A')", '!= is not supported'],
    ['Patient.name | Patient.contact', '"|"'],
    ['Patient.name[', 'whole number'],
    ['Patient.name[-1]', 'whole number'],
    ['Patient..name', 'a name is expected'],
    ['', 'a name is expected'],
    ["Patient.name.where(family='A' or family='B')", ') is expected'],
    ['Patient.name.$this', '"$"'],
    ["Patient.extension('x", 'is not supported'],
  ])('%s', (path, why) => {
    const error = failure(patient('"name":[{"family":"A"}]'), { type: 'delete', path })
    expect(error.status).toBe(400)
    expect(error.message).toContain(why)
    expect(error.issues[0]?.expression).toBe('Parameters.parameter[0]')
  })
})

describe('a Parameters resource that is no patch: 400', () => {
  test.each([
    ['{"resourceType":"Patient"}'],
    ['{"resourceType":"Parameters","parameter":[{"name":"x"}]}'],
    [
      '{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"merge"}]}]}',
    ],
    [
      '{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"delete"}]}]}',
    ],
    [
      '{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"add"},{"name":"path","valueString":"Patient"}]}]}',
    ],
    ['{"resourceType":"Parameters","parameter":{}}'],
  ])('%s', patch => {
    try {
      applyFhirPathPatch(parseJson(patient('')) as Resource, parseJson(patch))
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(FhirError)
      expect((error as FhirError).status).toBe(400)
    }
  })
})

describe('a patch that is a lot of work', () => {
  const many = patient(`"name":[{"given":[${Array(100_000).fill('"a"').join(',')}]}]`)
  const repeated = (times: number, one: Parts) => Array<Parts>(times).fill(one)

  test.each<[string, Parts]>([
    ['counting through a long list', { type: 'delete', path: 'Patient.name.given[50000].extension[0]' }],
    ['asking every item', { type: 'delete', path: 'Patient.name.given.where(extension.exists())' }],
    [
      'pushing a long list on',
      { type: 'insert', path: 'Patient.name.given', index: '0', value: '"valueString":"b"' },
    ],
    ['moving in a long list', { type: 'move', path: 'Patient.name.given', source: '0', destination: '9' }],
  ])('is stopped: %s', (_, one) => {
    const refused = failure(many, ...repeated(3000, one))
    expect(refused.status).toBe(422)
    expect(refused.issues[0]!.diagnostics).toContain('too much work')
  })

  test('goes through where it is large and not abused', () => {
    const one = { type: 'insert', path: 'Patient.name.given', index: '0', value: '"valueString":"b"' }
    expect(apply(patient('"name":[{"given":["a"]}]'), ...repeated(2000, one))).toContain('"b","b","a"')
  })
})
