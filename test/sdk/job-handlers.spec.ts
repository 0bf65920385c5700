import { Controller, Injectable, Scope } from '@nestjs/common';
import { JobHandler, type JobContext } from '../../src/sdk/agent.js';
import { AgentApp } from './support/agent-app.js';
import { RawCommander, agentAnswers } from './support/raw-commander.js';
import { eventually } from '../support/eventually.js';

describe('@JobHandler', () => {
  @Injectable()
  class One {
    readonly word = 'one';
    @JobHandler('job.one')
    async run(payload: { n: number }, _context: JobContext): Promise<string> {
      return `${this.word} ${payload.n}`;
    }
  }
  @Injectable()
  class Two extends One {
    @JobHandler('job.two')
    two(): string {
      return 'two';
    }
    notAJob(): void {}
  }

  it('finds the handlers of every provider, inherited ones and ones behind an alias once, and calls them on their instance', async () => {
    const commander = await RawCommander.start(agentAnswers());
    const app = await AgentApp.start({ commander: { port: commander.port } }, [
      Two,
      { provide: 'ALIAS', useExisting: Two },
    ]);
    await eventually(() => app.agent.isRegistered);
    expect(commander.received('agent.register')[0]!.data.capabilities.sort()).toEqual(['job.one', 'job.two']);
    const peer = await app.peer();
    expect((await peer.execute({ job: { name: 'job.one', payload: { n: 5 } } })).response).toEqual({ result: 'one 5' });
    expect((await peer.execute({ job: { name: 'job.two' } })).response).toEqual({ result: 'two' });
    await app.stop();
    await commander.stop();
  });

  it('finds those of controllers and those whose method is named by a symbol, and leaves getters alone', async () => {
    const hidden = Symbol('hidden');
    @Controller()
    class Four {
      get [Symbol.toStringTag](): string {
        if (!(this instanceof Four)) throw new TypeError('a getter was called');
        return 'Four';
      }
      @JobHandler('job.four')
      [hidden](): string {
        return 'four';
      }
    }
    const app = await AgentApp.start({}, [], false, [Four]);
    try {
      const peer = await app.peer();
      expect((await peer.execute({ job: { name: 'job.four' } })).response).toEqual({ result: 'four' });
    } finally {
      await app.stop();
    }
  });

  it('refuses two handlers of one name, naming both', async () => {
    @Injectable()
    class Other {
      @JobHandler('job.one')
      other(): void {}
    }
    await expect(AgentApp.start({}, [One, Other])).rejects.toThrow(
      "@JobHandler('job.one') stands on both One.run and Other.other",
    );
    const app = await AgentApp.start({}, [One]);
    await app.stop();
  });

  it('refuses a handler whose provider has no single instance', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class PerRequest {
      @JobHandler('job.three')
      run(): void {}
    }
    await expect(AgentApp.start({}, [PerRequest])).rejects.toThrow(/PerRequest\.run: its provider is not a singleton/);
  });

  it('refuses a name that no job can have, where it is written', () => {
    expect(() => JobHandler('with space')).toThrow(/@JobHandler\("with space"\)/);
    expect(() => JobHandler('')).toThrow(TypeError);
    expect(() => JobHandler('crawl-list@v2')).not.toThrow();
  });
});
