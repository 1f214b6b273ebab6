/**
 * The published examples and search parameters of R4 as material: which example has a value for a parameter, and how to ask for it.
 * The few forms of FHIRPath that the parameters of R4 use are read here by code of the tests' own, so that it can disagree.
 * https://hl7.org/fhir/R4/searchparameter-registry.html
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import refusedExamples from '../cases/r4-examples-refused.json' with { type: 'json' }
import type { Tree } from './client.ts'

const FOLDER = dirname(createRequire(import.meta.url).resolve('hl7.fhir.r4.examples/package.json'))

/** The files of the package, smallest first. */
export const exampleFiles = (): { file: string; size: number }[] =>
  readdirSync(FOLDER)
    .filter(file => /^[A-Za-z].*\.json$/.test(file) && file !== 'package.json')
    .map(file => ({ file, size: statSync(join(FOLDER, file)).size }))
    .sort((a, b) => a.size - b.size || (a.file < b.file ? -1 : 1))

export const exampleText = (file: string): string => readFileSync(join(FOLDER, file), 'utf8')

/** Names of the files that hold faults of their own. */
export const REFUSED: ReadonlySet<string> = new Set(refusedExamples.map(each => each.file))

export interface Parameter {
  url: string
  code: string
  type: string
  base: string[]
  expression: string
  target: string[]
}

/** The search parameters of R4 that have an expression. */
export function parametersOfR4(): Parameter[] {
  const { entry } = JSON.parse(exampleText('Bundle-searchParams.json'))
  return entry
    .map((each: Tree) => each.resource)
    .filter((each: Tree) => each.expression !== undefined)
    .map((each: Tree) => ({
      url: each.url,
      code: each.code,
      type: each.type,
      base: each.base,
      expression: each.expression,
      target: each.target ?? [],
    }))
}

/** A value in a resource, and the type that its element's name shows, where it shows one. */
export interface Found {
  value: Tree
  type?: string
}

/** Returns what an expression of a search parameter finds in a resource. */
export function evaluate(expression: string, resource: Tree): Found[] {
  return expression.split('|').flatMap(part => term(part.trim(), resource))
}

function term(text: string, resource: Tree): Found[] {
  if (text.includes(' and ')) {
    // Only Patient.deceased.exists() and Patient.deceased != false has this form.
    const dead =
      resource.resourceType === 'Patient' &&
      (resource.deceasedBoolean === true || resource.deceasedDateTime !== undefined)
    return resource.resourceType === 'Patient' ? [{ value: dead }] : []
  }
  const cast = /^\((.+) as (\w+)\)(.*)$/.exec(text)
  if (cast) return steps(`${cast[1]}.as(${cast[2]})${cast[3]}`, resource)
  return steps(text, resource)
}

function steps(path: string, resource: Tree): Found[] {
  // Dots inside parentheses belong to the step.
  const [root, ...rest] = path.match(/[^.(]+(\((?:[^()]|\([^()]*\))*\))?/g) as string[]
  if (root !== resource.resourceType && root !== 'Resource' && root !== 'DomainResource') return []
  let at: Found[] = [{ value: resource }]
  for (const step of rest) {
    const call = /^(as|ofType)\((\w+)\)$/.exec(step)
    const equal = /^where\((\w+)='([^']*)'\)$/.exec(step)
    const resolve = /^where\(resolve\(\) is (\w+)\)$/.exec(step)
    const first = /^(\w+)\[(\d+)\]$/.exec(step)
    if (call) at = at.filter(each => each.type?.toLowerCase() === call[2]?.toLowerCase())
    else if (equal) at = at.filter(each => each.value[equal[1] as string] === equal[2])
    else if (resolve)
      at = at.filter(each => new RegExp(`(^|/)${resolve[1]}/`).test(each.value.reference ?? ''))
    else if (first)
      at = at.flatMap(each => child(each, first[1] as string)).slice(Number(first[2]), Number(first[2]) + 1)
    else if (/^\w+$/.test(step)) at = at.flatMap(each => child(each, step))
    else throw new Error(`${path}: ${step} is a form that the parameters of R4 do not have`)
  }
  return at
}

function child({ value }: Found, name: string): Found[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, each]) => {
    const type =
      key === name
        ? undefined
        : key.startsWith(name)
          ? /^([A-Z]\w*)$/.exec(key.slice(name.length))?.[1]
          : null
    if (type === null || (key !== name && type === undefined)) return []
    return (Array.isArray(each) ? each : [each])
      .filter(one => one !== null)
      .map(one => (type ? { value: one, type } : { value: one }))
  })
}

const escaped = (text: string): string => text.replace(/[\\,|$]/g, '\\$&')

/** Returns a search value that must find what holds this value, or undefined where none can be built. */
export function queryFor(type: string, { value, type: element }: Found): string | undefined {
  // An element that may be a date or a string is indexed for dates only where it is one.
  if (type === 'date' && element === 'String') return undefined
  if (value === undefined || value === null) return undefined
  if (type === 'token') return tokenFor(value)
  if (type === 'string') return stringFor(value)
  if (type === 'date') return dateFor(value)
  if (type === 'number') return typeof value === 'number' ? String(value) : undefined
  if (type === 'quantity') return quantityFor(value)
  if (type === 'reference') return referenceFor(value)
  if (type === 'uri') return typeof value === 'string' ? escaped(value) : undefined
  return undefined
}

function tokenFor(value: Tree): string | undefined {
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return escaped(value)
  if (typeof value !== 'object') return undefined
  if (value.coding) return value.coding.map(tokenFor).find((each: unknown) => each !== undefined)
  if (value.code !== undefined)
    return value.system === undefined
      ? `|${escaped(value.code)}`
      : `${escaped(value.system)}|${escaped(value.code)}`
  if (value.value !== undefined) {
    const telecom = ['phone', 'fax', 'email', 'pager', 'url', 'sms', 'other'].includes(value.system)
    return telecom || value.system === undefined
      ? escaped(value.value)
      : `${escaped(value.system)}|${escaped(value.value)}`
  }
  return undefined
}

function stringFor(value: Tree): string | undefined {
  const text =
    typeof value === 'string'
      ? value
      : [value.family, value.given?.[0], value.text, value.city, value.line?.[0], value.country].find(
          each => typeof each === 'string',
        )
  const start = text === undefined ? '' : [...text].slice(0, 30).join('').trim()
  return start === '' ? undefined : escaped(start)
}

function dateFor(value: Tree): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value.start === 'string') return `ge${value.start}`
  if (typeof value.end === 'string') return `le${value.end}`
  if (typeof value.event?.[0] === 'string') return `ge${value.event[0]}`
  return undefined
}

function quantityFor(value: Tree): string | undefined {
  if (typeof value !== 'object' || typeof value.value !== 'number' || value.comparator !== undefined)
    return undefined
  if (value.currency !== undefined) return `${value.value}|urn:iso:std:iso:4217|${value.currency}`
  if (value.system !== undefined && value.code !== undefined)
    return `${value.value}|${value.system}|${escaped(value.code)}`
  return String(value.value)
}

function referenceFor(value: Tree): string | undefined {
  const reference: string | undefined = typeof value === 'string' ? value : value.reference
  if (reference === undefined || reference.startsWith('#') || reference.includes('?')) return undefined
  return escaped(typeof value === 'string' ? (value.split('|')[0] as string) : reference)
}

/** A value that any parameter of the type can be asked for, whether it finds something or not. */
export const validQuery = (parameter: { type: string; target?: string[] }): string =>
  ({
    date: '2020-01-01',
    number: '1',
    quantity: '1',
    reference: `${parameter.target?.[0] ?? 'Patient'}/1`,
    uri: 'https://thanal.example.org/x',
  })[parameter.type] ?? 'x'
