import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { createHierarchy } from '../../src/cli/terminology/hierarchy.ts'
import type { Source } from '../../src/cli/terminology/sources.ts'
import { eachCsv, eachLine } from '../../src/cli/terminology/text.ts'
import { readXml } from '../../src/cli/terminology/xml.ts'

/** The text as a file that is read in pieces of so many bytes. */
const source = (text: string | Buffer, piece: number): Source => {
  const bytes = Buffer.from(text)
  return {
    path: 'x',
    name: 'x',
    size: bytes.length,
    open: async () =>
      Readable.from(
        Array.from({ length: Math.ceil(bytes.length / piece) }, (_, i) =>
          bytes.subarray(i * piece, (i + 1) * piece),
        ),
      ),
  }
}

describe.each([1, 2, 3, 7, 1000])('in pieces of %i bytes', piece => {
  it('lines end with LF or CRLF, the last perhaps with nothing', async () => {
    const lines: [string, number][] = []
    await eachLine(
      source('പനി\r\n\nb\tc\r\nlast', piece),
      () => {},
      (line, number) => lines.push([line, number]),
    )
    expect(lines).toEqual([
      ['പനി', 1],
      ['', 2],
      ['b\tc', 3],
      ['last', 4],
    ])
  })

  it('CSV has quotes, doubled quotes, commas and line ends within quotes, and empty fields', async () => {
    const records: string[][] = []
    const text = 'a,b,"c"\r\n1,,"x ""y"", z"\r\n"two\r\nlines","",പ\n\n"last","a""",3'
    await eachCsv(
      source(text, piece),
      ['A', 'b'],
      () => {},
      (record, line) => records.push([record('a'), record('B'), record('c'), String(line)]),
    )
    expect(records).toEqual([
      ['1', '', 'x "y", z', '2'],
      ['two\r\nlines', '', 'പ', '3'],
      ['last', 'a"', '3', '6'],
    ])
  })

  it('XML has tags, attributes with a > in them, texts, CDATA, comments and characters by number', async () => {
    const heard: string[] = []
    const text =
      '\ufeff<?xml version="1.0"?>\n<!DOCTYPE a [<!ENTITY x "y">]>\n<!-- <b> --><a>\n<b c="1 > 0 &amp; \'x\'" d=\'"\'/>t&lt;&#x0D2A;&#65;<![CDATA[<&]]></a>\n'
    await readXml(source(text, piece), () => {}, {
      start: (name, attributes, line) => heard.push(`<${name} ${JSON.stringify(attributes)} ${line}`),
      end: name => heard.push(`/${name}`),
      text: one => heard.push(`"${one}`),
    })
    // A text may come in parts.
    const joined = heard.join('|').replaceAll(/(?<="[^|]*)\|"/g, '')
    expect(joined).toBe('<a {} 3|"\n|<b {"c":"1 > 0 & \'x\'","d":"\\""} 4|/b|"t<പA<&|/a')
  })

  it.each([
    ['<a>', /ends within <a>/],
    ['<a', /ends within a tag/],
    ['<a></b>', /line 1: <\/b> closes what is not open/],
    ['<a>\n&x;</a>', /&x is no character/],
    ['<a>&#xD800;</a>', /is no character/],
    ['<a b=c/>', /attributes of <a>/],
    ['x<a/>', /text outside/],
    ['<1/>', /is no tag/],
    ['<a>'.repeat(300), /more than 200 deep/],
  ])('refuses %s', async (text, words) => {
    const nothing = { start() {}, end() {}, text() {} }
    await expect(readXml(source(text, piece), () => {}, nothing)).rejects.toThrow(words)
  })

  it('says in which line the text is no UTF-8', async () => {
    const bytes = Buffer.concat([Buffer.from('one\nപ\nth'), Buffer.from([0xe0, 0x41]), Buffer.from('\nfour')])
    await expect(
      eachLine(
        source(bytes, piece),
        () => {},
        () => {},
      ),
    ).rejects.toThrow('x, line 3: the text is not UTF-8.')
  })
})

it('a hierarchy has all above a concept once, and a circle does no harm', () => {
  const hierarchy = createHierarchy()
  for (const [child, parent] of ['ba', 'ca', 'db', 'dc', 'dc', 'ee', 'fg', 'gf'])
    hierarchy.link(child!, parent!)
  expect(hierarchy.parents('d')).toEqual(['b', 'c'])
  expect(hierarchy.ancestors('d').sort()).toEqual(['a', 'b', 'c'])
  expect(hierarchy.ancestors('a')).toEqual([])
  expect(hierarchy.ancestors('e')).toEqual([])
  expect(hierarchy.ancestors('f')).toEqual(['g'])
  expect(hierarchy.parents('none')).toEqual([])
})
