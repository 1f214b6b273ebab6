/** `nadi package` into a server of its own, from files and from a registry that speaks npm's protocol. */
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { pack } from 'tar-stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningServer, startServer } from '../runtime/server.ts'
import { runCli } from './run-cli.ts'

const dir = mkdtempSync(join(tmpdir(), 'nadi-package-test-'))
let server: RunningServer
let registry: Server
let registryUrl = ''
/** What the registry serves, by path. */
const served = new Map<string, string | Buffer>()

beforeAll(async () => {
  server = await startServer()
  registry = createServer((request, response) => {
    const body = served.get(decodeURIComponent(request.url!))
    response.writeHead(body === undefined ? 404 : 200).end(body)
  })
  await new Promise<void>(done => registry.listen(0, '127.0.0.1', done))
  registryUrl = `http://127.0.0.1:${(registry.address() as AddressInfo).port}`
})
afterAll(async () => {
  registry.close()
  await server.stop()
  rmSync(dir, { recursive: true })
})

const cli = (...args: string[]) => runCli(['package', ...args, '--base-url', server.base])
// biome-ignore lint/suspicious/noExplicitAny: answers are read field by field in assertions
const get = async (path: string): Promise<any> => (await fetch(`${server.base}/${path}`)).json()
const total = async (type: string, url: string): Promise<number> =>
  (await get(`${type}?url=${encodeURIComponent(url)}&_summary=count`)).total

type Files = Record<string, string | object>

async function tarball(files: Files): Promise<Buffer> {
  const tar = pack()
  for (const [name, content] of Object.entries(files))
    tar.entry({ name }, typeof content === 'string' ? content : JSON.stringify(content))
  tar.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of tar) chunks.push(chunk as Buffer)
  return gzipSync(Buffer.concat(chunks))
}

async function file(name: string, files: Files): Promise<string> {
  const path = join(dir, name)
  writeFileSync(path, await tarball(files))
  return path
}

const manifest = (version: string, more: object = {}) => ({
  name: 'example.clinic',
  version,
  canonical: 'http://example.org/clinic',
  title: 'A clinic',
  fhirVersions: ['4.0.1'],
  dependencies: { 'hl7.fhir.r4.core': '4.0.1' },
  ...more,
})
const codes = (url: string, version: string) => ({
  resourceType: 'CodeSystem',
  id: 'rooms',
  url,
  version,
  status: 'active',
  content: 'complete',
  text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">Rooms</div>' },
  concept: [{ code: 'opd' }, { code: 'lab' }],
})
const rooms = 'http://example.org/clinic/CodeSystem/rooms'

describe('a package from a file', () => {
  it('is stored, listed, declared and removed', async () => {
    const path = await file('clinic-1.tgz', {
      'package/package.json': manifest('1.0.0'),
      'package/CodeSystem-rooms.json': codes(rooms, '1.0.0'),
      'package/ImplementationGuide-clinic.json': {
        resourceType: 'ImplementationGuide',
        url: 'http://example.org/clinic/ImplementationGuide/clinic',
        version: '1.0.0',
        name: 'Clinic',
        status: 'active',
        packageId: 'example.clinic',
        fhirVersion: ['4.0.1'],
      },
      'package/example/Patient-1.json': { resourceType: 'Patient', id: '1' },
      'package/.index.json': { 'index-version': 1, files: [] },
    })
    const installed = await cli('install', path)
    expect(installed).toMatchObject({ code: 0 })
    expect(installed.out).toMatch(/^Installed example\.clinic@1\.0\.0: 1 resources in /)
    expect((await cli('list')).out).toMatch(/^example\.clinic@1\.0\.0 {2}1 resources/)
    const found = (await get(`CodeSystem?url=${encodeURIComponent(rooms)}`)).entry
    expect(found).toHaveLength(1)
    expect(found[0].resource.concept).toEqual([{ code: 'opd' }, { code: 'lab' }])
    expect(found[0].resource.text).toBeUndefined()
    expect((await get('Patient?_summary=count')).total).toBe(0)
    const guide = 'http://example.org/clinic/ImplementationGuide/clinic|1.0.0'
    expect((await get('metadata')).implementationGuide).toEqual([guide])

    const again = await cli('install', path)
    expect(again).toMatchObject({ code: 0, out: 'example.clinic@1.0.0 is installed already.\n' })

    const removed = await cli('remove', 'example.clinic')
    expect(removed).toMatchObject({ code: 0, out: 'Removed example.clinic@1.0.0: 1 resources.\n' })
    expect(await total('CodeSystem', rooms)).toBe(0)
    expect((await get('metadata')).implementationGuide).toBeUndefined()
    expect((await cli('list')).out).toBe('No package is installed.\n')
    expect(await cli('remove', 'example.clinic')).toMatchObject({ code: 1 })
  }, 60_000)

  it('stands beside another version of itself, and each is removed alone', async () => {
    for (const version of ['1.0.0', '2.0.0'])
      expect(
        await cli(
          'install',
          await file(`clinic-${version}.tgz`, {
            'package/package.json': manifest(version),
            'package/CodeSystem-rooms.json': codes(rooms, version),
          }),
        ),
      ).toMatchObject({ code: 0 })
    expect(await total('CodeSystem', rooms)).toBe(2)
    const which = await cli('remove', 'example.clinic')
    expect(which.code).toBe(1)
    expect(which.err).toContain('1.0.0, 2.0.0')
    expect(await cli('remove', 'example.clinic@1.0.0')).toMatchObject({ code: 0 })
    expect((await get(`CodeSystem?url=${encodeURIComponent(rooms)}`)).entry[0].resource.version).toBe('2.0.0')
    expect(await cli('remove', 'example.clinic#2.0.0')).toMatchObject({ code: 0 })
  }, 60_000)

  it('leaves out what is no valid resource and says why; the rest is installed', async () => {
    const path = await file('faulty.tgz', {
      'package/package.json': manifest('3.0.0'),
      'package/CodeSystem-rooms.json': codes(rooms, '3.0.0'),
      'package/ValueSet-bad.json': { resourceType: 'ValueSet', id: 'bad', status: 'on', compose: 7 },
      'package/ValueSet-torn.json': '{"resourceType":"ValueSet",',
      'package/../../escape.json': codes('http://example.org/escape', '1'),
    })
    const { code, out } = await cli('install', path)
    expect(code).toBe(0)
    expect(out).toMatch(/: 1 resources in /)
    expect(out).toMatch(/left out: ValueSet-bad\.json: .*ValueSet\.status/)
    expect(out).toContain('left out: ValueSet-torn.json: ')
    expect(await total('CodeSystem', 'http://example.org/escape')).toBe(0)
    expect(await cli('remove', 'example.clinic')).toMatchObject({ code: 0 })
  }, 60_000)

  it('names profiles that build on what is not there', async () => {
    const profile = (id: string, base: string) => ({
      resourceType: 'StructureDefinition',
      id,
      url: `http://example.org/clinic/${id}`,
      name: id,
      status: 'active',
      kind: 'resource',
      abstract: false,
      type: 'Patient',
      baseDefinition: base,
      derivation: 'constraint',
      differential: { element: [{ id: 'Patient.name', path: 'Patient.name', min: 1 }] },
    })
    const path = await file('profiles.tgz', {
      'package/package.json': manifest('6.0.0'),
      'package/StructureDefinition-a.json': profile('a', 'http://hl7.org/fhir/StructureDefinition/Patient'),
      'package/StructureDefinition-b.json': profile('b', 'http://example.org/clinic/a'),
      'package/StructureDefinition-c.json': profile('c', 'http://example.org/clinic/none'),
    })
    const { code, out } = await cli('install', path)
    expect(code).toBe(0)
    expect(out.match(/cannot be used: .*/g)).toEqual([
      expect.stringMatching(
        /^cannot be used: StructureDefinition-c\.json: .*http:\/\/example\.org\/clinic\/none/,
      ),
    ])
    expect(await cli('remove', 'example.clinic')).toMatchObject({ code: 0 })
  }, 60_000)

  it.each([
    ['no tar at all', () => Buffer.from('hello'), /is no FHIR package/],
    ['a tar without a manifest', () => tarball({ 'package/x.json': {} }), /no package\/package\.json/],
    [
      'for another FHIR',
      () => tarball({ 'package/package.json': manifest('1.0.0', { fhirVersions: ['5.0.0'] }) }),
      /FHIR 5\.0\.0/,
    ],
    [
      'cut off',
      async () => (await tarball({ 'package/package.json': manifest('1.0.0') })).subarray(0, 60),
      /is no FHIR package/,
    ],
  ])(
    'is refused where it is %s',
    async (name, content, why) => {
      const path = join(dir, `${name.replaceAll(' ', '-')}.tgz`)
      writeFileSync(path, await content())
      const { code, err } = await cli('install', path)
      expect(code).toBe(1)
      expect(err).toMatch(why)
      expect((await cli('list')).out).toBe('No package is installed.\n')
    },
    60_000,
  )

  it.each([
    ['a version that a search would read as several', { version: '1,urn:ward|vip' }, /version/],
    ['a name that is none', { name: 'example clinic' }, /name/],
    ['versions of FHIR that are no list', { fhirVersions: '4.0.1' }, /fhirVersions/],
    ['dependencies that are no object', { dependencies: null }, /dependencies/],
    ['a title that is no text', { title: 7 }, /title/],
  ])(
    'is refused where its manifest has %s',
    async (_, more, why) => {
      const path = await file('manifest.tgz', {
        'package/package.json': manifest('1.0.0', more),
        'package/CodeSystem-rooms.json': codes(rooms, '1.0.0'),
      })
      const { code, err } = await cli('install', path)
      expect(code).toBe(1)
      expect(err).toMatch(/is no FHIR package/)
      expect(err).toMatch(why)
      expect((await cli('list')).out).toBe('No package is installed.\n')
      expect(await total('CodeSystem', rooms)).toBe(0)
    },
    60_000,
  )

  it('is refused in words where its manifest is torn', async () => {
    const path = await file('torn.tgz', { 'package/package.json': '{"name":' })
    const { code, err } = await cli('install', path)
    expect(code).toBe(1)
    expect(err).toMatch(/torn\.tgz is no FHIR package: .*package\.json/)
  }, 60_000)

  it('is removed without anything that only looks like it', async () => {
    const put = (type: string, body: object & { id: string }) =>
      fetch(`${server.base}/${type}/${body.id}`, {
        method: 'PUT',
        headers: { 'Content-Type': 'application/fhir+json' },
        body: JSON.stringify({ resourceType: type, ...body }),
      })
    await put('Patient', { id: 'vip', meta: { tag: [{ system: 'urn:ward', code: 'vip' }] } } as {
      id: string
    })
    const code = 'example.trap#1,urn:ward|vip'
    await put('ImplementationGuide', {
      id: 'trap',
      meta: { tag: [{ system: 'urn:nadi:package-record', code }] },
      url: 'http://example.org/trap',
      name: 'Trap',
      status: 'active',
      packageId: 'example.trap',
      fhirVersion: ['4.0.1'],
    } as { id: string })
    expect(await cli('remove', 'example.trap')).toMatchObject({ code: 0 })
    expect((await fetch(`${server.base}/Patient/vip`)).status).toBe(200)
    expect((await fetch(`${server.base}/ImplementationGuide/trap`)).status).toBe(410)
    await fetch(`${server.base}/Patient/vip`, { method: 'DELETE' })
  }, 60_000)

  it('whose removal was broken off is not complete, and is installed or removed again', async () => {
    const env = { NADI_REFERENCES: 'enforce' }
    const strict = await startServer({ env })
    const on = (...args: string[]) => runCli(['package', ...args, '--base-url', strict.base])
    const path = await file('used.tgz', {
      'package/package.json': manifest('7.0.0'),
      'package/Questionnaire-q.json': { resourceType: 'Questionnaire', id: 'q', status: 'active' },
    })
    expect(await on('install', path)).toMatchObject({ code: 0 })
    const [{ resource }] = (await (await fetch(`${strict.base}/Questionnaire`)).json()).entry
    const user = await fetch(`${strict.base}/Basic`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/fhir+json' },
      body: JSON.stringify({
        resourceType: 'Basic',
        code: { text: 'x' },
        subject: { reference: `Questionnaire/${resource.id}` },
      }),
    })
    expect(user.status).toBe(201)
    expect(await on('remove', 'example.clinic')).toMatchObject({ code: 1 })
    expect((await on('list')).out).toMatch(/not complete/)
    expect((await on('install', path)).out).toMatch(/^Installed example\.clinic@7\.0\.0/)
    expect((await on('list')).out).toMatch(/ 1 resources/)
    await strict.stop()
  }, 60_000)

  it('is listed with all others where a page holds few', async () => {
    const small = await startServer({ env: { NADI_PAGE_MAX: '2', NADI_PAGE_DEFAULT: '1' } })
    const on = (...args: string[]) => runCli(['package', ...args, '--base-url', small.base])
    for (const version of ['1.0.0', '2.0.0', '3.0.0', '4.0.0', '5.0.0'])
      await on('install', await file('few.tgz', { 'package/package.json': manifest(version) }))
    expect((await on('list')).out.match(/^example\.clinic@/gm)).toHaveLength(5)
    await small.stop()
  }, 60_000)

  it('builds on the highest version of what is there, as the server does', async () => {
    const profile = (id: string, url: string, version: string, base: string) => ({
      resourceType: 'StructureDefinition',
      id,
      url: `http://example.org/clinic/${url}`,
      version,
      name: id,
      status: 'active',
      kind: 'resource',
      abstract: false,
      type: 'Patient',
      baseDefinition: base,
      derivation: 'constraint',
      differential: { element: [{ id: 'Patient.name', path: 'Patient.name', min: 1 }] },
    })
    const patient = 'http://hl7.org/fhir/StructureDefinition/Patient'
    const stored = [
      profile('v1', 'up', '1.9.0', 'http://example.org/none'),
      profile('v2', 'up', '1.10.0', patient),
      profile('v3', 'down', '1.10.0', patient),
      profile('v4', 'down', '1.9.0', 'http://example.org/none'),
    ]
    const at = (id: string) => `${server.base}/StructureDefinition/${id}`
    const headers = { 'Content-Type': 'application/fhir+json' }
    for (const one of stored) await fetch(at(one.id), { method: 'PUT', headers, body: JSON.stringify(one) })
    const path = await file('derived.tgz', {
      'package/package.json': manifest('8.1.0'),
      'package/StructureDefinition-a.json': profile('a', 'a', '1', 'http://example.org/clinic/up'),
      'package/StructureDefinition-b.json': profile('b', 'b', '1', 'http://example.org/clinic/down'),
    })
    expect((await cli('install', path)).out).not.toContain('cannot be used')
    expect(await cli('remove', 'example.clinic')).toMatchObject({ code: 0 })
    for (const { id } of stored) await fetch(at(id), { method: 'DELETE' })
  }, 60_000)

  it('names what cannot be looked up as not there, and prints no control characters', async () => {
    const path = await file('odd.tgz', {
      'package/package.json': manifest('8.0.0'),
      'package/StructureDefinition-\u001b[31m.json': '{',
      ...Object.fromEntries(
        ['x'.repeat(20_000), 'c,d$|x\\'].map((end, i) => [
          `package/StructureDefinition-${i}.json`,
          {
            resourceType: 'StructureDefinition',
            id: `odd${i}`,
            url: `http://example.org/clinic/odd${i}`,
            name: 'Odd',
            status: 'active',
            kind: 'resource',
            abstract: false,
            type: 'Patient',
            baseDefinition: `http://example.org/${end}`,
            derivation: 'constraint',
            differential: { element: [{ id: 'Patient.name', path: 'Patient.name', min: 1 }] },
          },
        ]),
      ),
    })
    const { code, out, err } = await cli('install', path)
    expect([code, err]).toEqual([0, ''])
    expect(out.match(/cannot be used: /g)).toHaveLength(2)
    expect(out).toContain('StructureDefinition-?[31m.json')
    expect(out).not.toContain('\u001b')
    expect(await cli('remove', 'example.clinic')).toMatchObject({ code: 0 })
  }, 60_000)

  it('that the server lost half-way is shown as not complete, and completed by installing again', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 3000 }, (_, i) => [
        `package/CodeSystem-${i}.json`,
        { ...codes(`${rooms}/${i}`, '4.0.0'), id: `rooms-${i}` },
      ]),
    )
    const path = await file('many.tgz', { 'package/package.json': manifest('4.0.0'), ...many })
    const env = { NADI_STORAGE: `sqlite:${dir}/lost.db` }
    const first = await startServer({ env })
    const running = runCli(['package', 'install', path, '--base-url', first.base])
    const count = async (base: string): Promise<number> =>
      (await (await fetch(`${base}/CodeSystem?_summary=count`)).json()).total
    while ((await count(first.base)) === 0) await new Promise(resolve => setTimeout(resolve, 5))
    await first.kill9()
    const lost = await running
    expect(lost.code).toBe(1)
    expect(lost.err).toMatch(/does not answer any more/)

    const second = await startServer({ env })
    const there = await count(second.base)
    expect(there).toBeGreaterThan(0)
    expect(there).toBeLessThan(3000)
    expect((await runCli(['package', 'list', '--base-url', second.base])).out).toMatch(/not complete/)
    expect((await runCli(['package', 'install', path, '--base-url', second.base])).code).toBe(0)
    expect(await count(second.base)).toBe(3000)
    expect((await runCli(['package', 'list', '--base-url', second.base])).out).toMatch(/ 3000 resources/)
    await second.stop()
  }, 120_000)
})

describe('a package from a registry', () => {
  const publish = (name: string, version: string, tgz: Buffer, dist: object = {}) => {
    served.set(`/${name}/-/${version}.tgz`, tgz)
    const integrity = `sha512-${createHash('sha512').update(tgz).digest('base64')}`
    const one = { dist: { tarball: `${registryUrl}/${name}/-/${version}.tgz`, integrity, ...dist } }
    served.set(`/${name}`, JSON.stringify({ 'dist-tags': { latest: version }, versions: { [version]: one } }))
  }

  it('is hl7.terminology.r4 as it is on npm, whole', async () => {
    const folder = dirname(createRequire(import.meta.url).resolve('hl7.terminology.r4/package.json'))
    const names = readdirSync(folder).filter(name => name.endsWith('.json'))
    const files = Object.fromEntries(
      names.map(name => [`package/${name}`, readFileSync(join(folder, name), 'utf8')]),
    )
    publish('hl7.terminology.r4', '7.0.1', await tarball(files))
    const { code, out } = await cli('install', 'hl7.terminology.r4', '--registry', registryUrl)
    expect(code).toBe(0)
    // 897 CodeSystems, 2,499 ValueSets, 660 NamingSystems and 9 StructureDefinitions, of which two are not valid R4.
    expect(out).toMatch(/^Installed hl7\.terminology\.r4@7\.0\.1: 4,063 resources in /)
    expect(out.match(/left out: .*/g)).toHaveLength(2)
    expect(out).toContain('It builds on hl7.fhir.uv.extensions.r4@5.2.0, which is not installed')
    expect((await get('ValueSet?_summary=count')).total).toBe(2499)
    expect((await get('metadata')).implementationGuide).toEqual([
      'http://terminology.hl7.org/ImplementationGuide/hl7.terminology|7.0.1',
    ])
    expect(await cli('remove', 'hl7.terminology.r4@7.0.1')).toMatchObject({ code: 0 })
    expect((await get('ValueSet?_summary=count')).total).toBe(0)
  }, 120_000)

  it('brings its dependencies where that is asked for', async () => {
    publish(
      'example.base',
      '1.1.0',
      await tarball({
        'package/package.json': { name: 'example.base', version: '1.1.0' },
        'package/CodeSystem-b.json': codes('http://example.org/base', '1'),
      }),
    )
    publish(
      'example.clinic',
      '5.0.0',
      await tarball({
        'package/package.json': manifest('5.0.0', { dependencies: { 'example.base': '1.1.0' } }),
      }),
    )
    const { code } = await cli(
      'install',
      'example.clinic@5.0.0',
      '--with-dependencies',
      '--registry',
      registryUrl,
    )
    expect(code).toBe(0)
    expect((await cli('list')).out).toMatch(/^example\.base@1\.1\.0 .*\nexample\.clinic@5\.0\.0 /)
    for (const name of ['example.base', 'example.clinic']) await cli('remove', name)
  }, 60_000)

  it('brings the highest version that a dependency may have, and completes one that is not whole', async () => {
    const name = 'example.base'
    const tgz = async (version: string) =>
      tarball({
        'package/package.json': { name, version },
        'package/CodeSystem-b.json': codes('http://example.org/base', version),
      })
    const versions: Record<string, object> = {}
    for (const version of ['1.1.9', '1.1.10', '1.2.0', '1.1.11-ballot']) {
      served.set(`/${name}/-/${version}.tgz`, await tgz(version))
      versions[version] = { dist: { tarball: `${registryUrl}/${name}/-/${version}.tgz` } }
    }
    served.set(`/${name}`, JSON.stringify({ 'dist-tags': { latest: '1.2.0' }, versions }))
    const path = await file('wants.tgz', {
      'package/package.json': manifest('9.0.0', { dependencies: { [name]: '1.1.x', 'example.odd': '^1.0' } }),
    })
    const { code, out } = await cli('install', path, '--with-dependencies', '--registry', registryUrl)
    expect(code).toBe(1)
    expect(out).toContain('Installed example.base@1.1.10:')
    expect(out).toContain('It builds on example.odd@^1.0, which names no version: install it by name')
    expect(out).not.toContain('--with-dependencies')
    for (const one of [name, 'example.clinic']) await cli('remove', one)
  }, 60_000)

  it.each([
    ['is not there', 'example.none', /has no package example\.none/],
    ['has no such version', 'example.clinic@9.9.9', /no version 9\.9\.9 of example\.clinic/],
    ['is not what was published', 'example.torn', /checksum/],
    ['is named by the registry without anything more', 'example.null', /no version 1\.0\.0 of example\.null/],
    ['has an impossible name', '../no/such thing', /no name of a package/],
  ])(
    'is refused where it %s',
    async (_, name, why) => {
      publish('example.clinic', '5.0.0', await tarball({}))
      served.set('/example.null', '{"dist-tags":{"latest":"1.0.0"},"versions":{"1.0.0":null}}')
      publish('example.torn', '1.0.0', await tarball({}), { integrity: `sha512-${'A'.repeat(86)}==` })
      const { code, err } = await cli('install', name, '--registry', registryUrl)
      expect(code).toBe(1)
      expect(err).toMatch(why)
    },
    60_000,
  )
})

it('says what to do where no server answers', async () => {
  const { code, err } = await runCli(['package', 'list', '--base-url', 'http://127.0.0.1:9/fhir'])
  expect(code).toBe(1)
  expect(err).toContain('npm start')
})
