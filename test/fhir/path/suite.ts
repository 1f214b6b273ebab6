/** The official FHIRPath suite for R4: its cases, and its resources as trees. http://hl7.org/fhirpath/N1/ */
import { existsSync, readFileSync } from 'node:fs'
import { type JsonObject, parseJson } from '../../../src/fhir/json.ts'
import { type Element, parseXml, resourceOf } from './xml.ts'

const FOLDER = new URL('../../../../shared/conformance/fhirpath/', import.meta.url)

/** Whether the suite, which is no part of the repository, is there. */
export const HAS_SUITE = existsSync(FOLDER)

export interface Case {
  /** `group/name`, with `#2` where a group has the name twice. */
  name: string
  expression: string
  input: string | undefined
  /** What is to come out, in order; undefined where the expression is to be refused or to fail. */
  outputs: { type: string | undefined; value: string }[] | undefined
  /** Elements that the type does not have are faults. */
  strict: boolean
  /** Only the truth of the result counts. */
  predicate: boolean
}

export function readCases(): Case[] {
  const root = parseXml(readFileSync(new URL('tests-fhir-r4.xml', FOLDER), 'utf8'))
  const names = new Map<string, number>()
  return root.children
    .filter(({ name }) => name === 'group')
    .flatMap(group =>
      group.children
        .filter(({ name }) => name === 'test')
        .map(test => {
          const plain = `${group.attributes.name}/${test.attributes.name}`
          const count = (names.get(plain) ?? 0) + 1
          names.set(plain, count)
          return readCase(test, count === 1 ? plain : `${plain}#${count}`)
        }),
    )
}

function readCase(test: Element, name: string): Case {
  const expression = test.children.find(child => child.name === 'expression')!
  const invalid = expression.attributes.invalid
  return {
    name,
    expression: expression.text,
    input: test.attributes.inputfile,
    outputs:
      invalid !== undefined
        ? undefined
        : test.children
            .filter(child => child.name === 'output')
            .map(output => ({ type: output.attributes.type, value: output.text })),
    strict: test.attributes.mode === 'strict' || invalid === 'semantic',
    predicate: test.attributes.predicate === 'true',
  }
}

const inputs = new Map<string, JsonObject>()

/** Returns the resource of a case. */
export function readInput(file: string): JsonObject {
  let resource = inputs.get(file)
  if (resource === undefined) {
    const text = readFileSync(new URL(`input/${file}`, FOLDER), 'utf8')
    resource = file.endsWith('.json') ? (parseJson(text) as JsonObject) : resourceOf(parseXml(text))
    inputs.set(file, resource)
  }
  return resource
}
