/**
 * How a part of a composite that is compared for equality stands in the rows of the others: as a text for each way to ask for it. They are
 * JSON arrays, which end themselves, so that no text that is sent can make one form out of another, whatever follows it.
 */
import type { IndexRow } from './index-row.ts'
import type { Node } from './plan-node.ts'

/** Returns the forms that a row can be asked for by. */
export function formsOf(row: IndexRow): string[] {
  switch (row.kind) {
    case 'token': {
      const { system, code } = row
      const forms = code === '' ? [] : [codeForm(code), codingForm(system, code)]
      if (system !== '') forms.push(systemForm(system))
      return forms
    }
    case 'reference': {
      const { type, id, version } = row
      if (id === '') return []
      const versions = version === '' ? [undefined] : [undefined, version]
      return versions.flatMap(one => [referenceForm(type, id, one), referenceForm(undefined, id, one)])
    }
    case 'uri':
      return [codeForm(row.value)]
    default:
      return []
  }
}

/** Returns the form that a leaf asks for; undefined for one that no form answers. */
export function formOf(node: Node): string | undefined {
  switch (node.kind) {
    case 'token':
      if (node.system === undefined) return node.code === undefined ? undefined : codeForm(node.code)
      return node.code === undefined ? systemForm(node.system) : codingForm(node.system, node.code)
    case 'reference':
      return referenceForm(node.type, node.id, node.version)
    case 'uri':
      return node.match === 'equals' ? codeForm(node.value) : undefined
    default:
      return undefined
  }
}

const codeForm = (code: string): string => JSON.stringify([code])
const codingForm = (system: string, code: string): string => JSON.stringify([system, code])
const systemForm = (system: string): string => JSON.stringify([system, 0])
const referenceForm = (type: string | undefined, id: string, version: string | undefined): string =>
  JSON.stringify([type ?? 0, id, version ?? 0])
