import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Twenty seconds and more each: begun last, one of them would run alone for its whole length. */
const LONG = [
  'rest/r4-examples',
  'search/d1',
  'search/fuzz',
  'rest/custom-params',
  'documents/mutations-hapi',
  'storage/contract.d1',
  'cli/terminology',
  'cli/package',
  'search/agree-d1',
  'storage/sqlite-crash',
  'rest/node-mongodb',
  'rest/fhir-kit-client',
  'search/mongodb',
  'storage/mongodb-crash',
  'search/paging-mongodb',
  'search/paging-d1',
  'rest/worker',
  'profiles/abdm-hapi',
]

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const at = LONG.findIndex(name => moduleId.endsWith(`/test/${name}.test.ts`))
      return at < 0 ? LONG.length : at
    }
    return (await super.sort(files)).sort((a, b) => place(a) - place(b))
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
  },
})
