// Every method of the contract over the make-believe world. Development only.
import { historyHandlers as automaticHandlers } from '../../electron/control/history/handlers.ts';
import type { Contract } from '../../shared/rpc/contract.ts';
import type { Handlers } from '../../shared/rpc/server.ts';
import { GIB_KIB } from '../../shared/units.ts';
import { diskHandlers } from './fake-disk-handlers.ts';
import { fakeFileHandlers } from './fake-files.ts';
import { addMoment, startReversal } from './fake-history.ts';
import { memoryHandlers } from './fake-memory.ts';
import { fakeScreen } from './fake-screen.ts';
import { type FakeControl, refuse } from './fake-service.ts';
import { setupHandlers } from './fake-setup.ts';
import { trashHandlers } from './fake-trash.ts';
import { type FakeVm, fakeTask, hostOf, makeVm } from './fake-world.ts';

function vmHandlers(control: FakeControl) {
  const { world } = control;
  return {
    'vm.list': () => ({ vms: world.vms.map(vm => vm.summary) }),
    'vm.get': ({ vmId }) => control.vm(vmId).summary,
    'vm.create': params => {
      if (params.maxKib > hostOf(world).budgetKib)
        refuse(
          'memory.over-host',
          `${params.name} asks for ${params.maxKib / GIB_KIB} GiB; VMs may use ${hostOf(world).budgetKib / GIB_KIB} GiB in all.`,
          'Choose a smaller maximum.',
        );
      const vm = makeVm(
        {
          name: params.name,
          os: params.os,
          phase: 'off',
          min: params.minKib / GIB_KIB,
          max: params.maxKib / GIB_KIB,
        },
        Date.now(),
      );
      const { id } = vm.summary.spec;
      const { group, notes, network, portForwards } = params;
      const asked = { group, notes, network, portForwards, createdAt: Date.now() };
      vm.summary = { ...vm.summary, spec: { ...vm.summary.spec, ...asked } };
      return {
        vmId: id,
        ...control.work(fakeTask('vm.create', `Creating ${params.name}`, id, Date.now()), () =>
          world.vms.push(vm),
        ),
      };
    },
    'vm.rename': ({ vmId, name }) => {
      const vm = control.vm(vmId);
      if (world.vms.some(other => other !== vm && other.summary.spec.name === name))
        refuse('vm.name-taken', `There is already a VM called ${name}.`, 'Choose another name.');
      vm.summary = { ...vm.summary, spec: { ...vm.summary.spec, name } };
      control.publish();
      return {};
    },
    ...setupHandlers(control),
    ...trashHandlers(control),
    'vm.preview-start': ({ vmId }) => {
      const vm = control.vm(vmId);
      const wanted = vm.memory.maxKib;
      const free = hostOf(world).freeKib;
      if (wanted <= free)
        return {
          feasible: true,
          bootKib: wanted,
          sentence: 'Everyone keeps what they have. Nothing shrinks.',
          changes: [],
        };
      if (vm.memory.minKib > 2.5 * GIB_KIB)
        return {
          feasible: false,
          bootKib: 0,
          changes: [],
          sentence: `${vm.summary.spec.name} needs at least 3 GiB and only 2.6 GiB can be freed. dev could give 0.9 GiB if its minimum were 1.1 GiB.`,
        };
      const dev = world.vms[0];
      const changes =
        dev === undefined
          ? []
          : [
              {
                vmId: dev.summary.spec.id,
                vmName: dev.summary.spec.name,
                fromKib: dev.memory.actualKib ?? 0,
                toKib: 3 * GIB_KIB,
              },
            ];
      return {
        feasible: true,
        bootKib: wanted,
        sentence: `${vm.summary.spec.name} starts with ${wanted / GIB_KIB} GiB; one VM makes room for it.`,
        changes,
      };
    },
    'vm.start': ({ vmId }) => {
      control.setPhase(vmId, 'starting');
      return control.work(
        fakeTask('vm.start', `Starting ${control.vm(vmId).summary.spec.name}`, vmId, Date.now()),
        () => control.setPhase(vmId, 'running'),
      );
    },
    'vm.stop': ({ vmId }) => {
      control.setPhase(vmId, 'stopping');
      return control.work(
        fakeTask('vm.stop', `Shutting down ${control.vm(vmId).summary.spec.name}`, vmId, Date.now()),
        () => {
          if (control.vm(vmId).summary.spec.peek === null) return control.setPhase(vmId, 'off');
          world.vms = world.vms.filter(vm => vm.summary.spec.id !== vmId);
          control.publish();
        },
      );
    },
    'vm.suspend': ({ vmId }) => {
      control.setPhase(vmId, 'suspending');
      return control.work(
        fakeTask('vm.suspend', `Suspending ${control.vm(vmId).summary.spec.name}`, vmId, Date.now()),
        () => control.setPhase(vmId, 'suspended'),
      );
    },
    'vm.pause': ({ vmId }) => {
      control.setPhase(vmId, 'paused');
      return {};
    },
    'vm.resume': ({ vmId }) => {
      control.setPhase(vmId, 'running');
      return {};
    },
    'vm.reset': () => ({}),
  } satisfies Partial<Handlers<Contract>>;
}

function historyHandlers(control: FakeControl) {
  const moment = (vm: FakeVm, id: string) =>
    vm.timeline.moments.find(other => other.id === id) ??
    refuse('moment.not-found', 'There is no such point.', 'Look again.');
  const publish = (vm: FakeVm): void => control.topics.publish('timeline', vm.summary.spec.id, vm.timeline);
  return {
    'moment.take-with-memory': ({ vmId }) =>
      control.work(
        fakeTask('moment.take', `Taking a point of ${control.vm(vmId).summary.spec.name}`, vmId, Date.now()),
        () => publish(control.vm(vmId)),
      ),
    'moment.screen': () => ({ png: fakeScreen() }),
    'vm.screen': () => ({ png: fakeScreen() }),
    'vm.thumbnail': ({ vmId }) => ({
      png: control.vm(vmId).summary.state.pid === null ? null : fakeScreen(),
    }),
    'vm.guest': () => null,
    'moment.take': ({ vmId, name, note }) => {
      const vm = control.vm(vmId);
      const before = vm.timeline.nowParentId;
      const taken = addMoment(vm, {
        name,
        note,
        kind: 'manual',
        after: before,
        at: Date.now(),
        bytes: vm.timeline.nowBytes,
        root: before === null,
      });
      vm.timeline = { ...vm.timeline, nowBytes: 0 };
      if (before !== null) startReversal(vm, before, taken.id);
      publish(vm);
      return taken;
    },
    'moment.update': ({ vmId, momentId, ...change }) => {
      const vm = control.vm(vmId);
      const old = moment(vm, momentId);
      const next = {
        ...old,
        name: change.name ?? old.name,
        note: change.note ?? old.note,
        pinned: change.pinned ?? old.pinned,
      };
      vm.timeline = {
        ...vm.timeline,
        moments: vm.timeline.moments.map(other => (other.id === momentId ? next : other)),
      };
      publish(vm);
      return next;
    },
    'moment.go-back': ({ vmId, momentId }) =>
      control.work(fakeTask('moment.go-back', 'Going back', vmId, Date.now()), () => {
        const vm = control.vm(vmId);
        addMoment(vm, {
          name: 'kept',
          kind: 'kept',
          after: vm.timeline.nowParentId,
          at: Date.now(),
          bytes: vm.timeline.nowBytes,
        });
        vm.timeline = { ...vm.timeline, nowParentId: moment(vm, momentId).id, nowBytes: 0 };
        publish(vm);
      }),
    'moment.peek': ({ vmId: ofId, momentId }) => {
      const of = control.vm(ofId);
      const { summary } = of;
      const { name } = moment(of, momentId);
      const vm = makeVm(
        { name: `${summary.spec.name}: ${name}`, os: summary.spec.os, phase: 'running', min: 1, max: 2 },
        Date.now(),
      );
      const peek = { vmId: ofId, momentId, momentName: name, points: [] };
      vm.summary = { ...vm.summary, spec: { ...vm.summary.spec, peek } };
      control.world.vms.push(vm);
      const { id } = vm.summary.spec;
      return {
        vmId: id,
        ...control.work(fakeTask('moment.peek', `Peek at ${name}`, id, Date.now()), () => undefined),
      };
    },
    'moment.delete': ({ vmId, momentId }) => {
      const vm = control.vm(vmId);
      const gone = moment(vm, momentId);
      if (gone.pinned) refuse('moment.pinned', `"${gone.name}" is pinned.`, 'Unpin it first.');
      const moments = vm.timeline.moments
        .filter(other => other.id !== momentId)
        .map(other => (other.parentId === momentId ? { ...other, parentId: gone.parentId } : other));
      const trash = [...vm.timeline.trash, { ...gone, trashedAt: Date.now() }];
      vm.timeline = { ...vm.timeline, moments, trash };
      publish(vm);
      return {};
    },
    'moment.restore': ({ vmId, momentId }) => {
      const vm = control.vm(vmId);
      const found = vm.timeline.trash.find(other => other.id === momentId);
      if (found === undefined) return refuse('moment.not-found', 'It is gone.', 'Look again.');
      const back = { ...found, trashedAt: null };
      const trash = vm.timeline.trash.filter(other => other.id !== momentId);
      vm.timeline = { ...vm.timeline, moments: [...vm.timeline.moments, back], trash };
      publish(vm);
      return back;
    },
    'trash.purge': ({ vmId, momentId }) => {
      const vm = control.vm(vmId);
      const isGone = (other: { readonly id: string }): boolean =>
        momentId === undefined || other.id === momentId;
      const freedBytes = vm.timeline.trash
        .filter(isGone)
        .reduce((sum, other) => sum + other.allocatedBytes, 0);
      vm.timeline = { ...vm.timeline, trash: vm.timeline.trash.filter(other => !isGone(other)) };
      publish(vm);
      return { freedBytes };
    },
    'moment.cost': ({ vmId, momentId }) => {
      const { allocatedBytes, freesBytes } = moment(control.vm(vmId), momentId);
      return {
        allocatedBytes,
        freesNowBytes: freesBytes ?? 0,
        freesLaterBytes: freesBytes === null ? allocatedBytes / 2 : 0,
      };
    },
    'vm.clone': ({ vmId }) => ({
      ...control.work(fakeTask('vm.clone', 'Cloning', vmId, Date.now()), () => undefined),
      vmId,
    }),
    'moment.export': ({ vmId, format, path }) => ({
      ...control.work(fakeTask('moment.export', 'Exporting', vmId, Date.now()), () => undefined),
      path: path ?? `/home/me/.local/share/ebb/exports/point.${format}`,
    }),
    ...fakeFileHandlers(control),
    'moment.download': () =>
      refuse('file.unreadable', 'Nothing is written here.', 'Export it from a real Ebb.'),
    'moment.serve': () => refuse('rpc.denied', 'A browser may not name sockets.', 'Use the terminal.'),
    'settle.set': ({ vmId, to }) => {
      const vm = control.vm(vmId);
      vm.timeline = {
        ...vm.timeline,
        settle: {
          ...vm.timeline.settle,
          state: vm.timeline.settle.state === 'rest' ? 'rest' : to === 'run' ? 'settling' : 'paused',
          isPaused: to !== 'run',
        },
      };
      publish(vm);
      return {};
    },
  } satisfies Partial<Handlers<Contract>>;
}

/** The audit's own are its real ones (fake-audit.ts). */
type AuditMethod = 'audit.list' | 'audit.export' | 'audit.verify';

/** A boot as it looks on a serial line, in colours. */
const SERIAL_WORDS = `${[
  '[    0.000000] Linux version 6.1.0-18-cloud-amd64 (debian-kernel@lists.debian.org)',
  '[    0.412077] printk: console [ttyS0] enabled',
  '[    1.730412] EXT4-fs (vda1): mounted filesystem with ordered data mode.',
  '[\u001b[0;32m  OK  \u001b[0m] Reached target \u001b[0;1;39mMulti-User System\u001b[0m.',
  '',
  'Debian GNU/Linux 12 web ttyS0',
  '',
].join('\r\n')}web login: `;

/** No page asks it. */
const gatewayOnly = (): never => {
  throw new Error('only a gateway or a terminal asks this');
};

export function handlers(control: FakeControl): Omit<Handlers<Contract>, AuditMethod> {
  const { world } = control;
  return {
    ...vmHandlers(control),
    ...memoryHandlers(control),
    ...historyHandlers(control),
    ...diskHandlers(control),
    ...automaticHandlers(control.histories),
    'app.info': () => ({
      role: 'administer',
      user: '',
      isSignedIn: true,
      version: '0.1.0',
      protocol: 1,
      pid: process.pid,
      dataFolder: '/home/me/.local/share/ebb',
      shell: 'fake',
    }),
    'app.quit': () => ({}),
    'headless.sign-in': gatewayOnly,
    'headless.session': gatewayOnly,
    'file.download': gatewayOnly,
    'headless.listen': gatewayOnly,
    'headless.link': gatewayOnly,
    'headless.create-token': gatewayOnly,
    'headless.tokens': () => ({ tokens: [], links: [] }),
    'headless.revoke-token': gatewayOnly,
    'headless.sessions': () => ({ sessions: [] }),
    'headless.end-session': gatewayOnly,
    'headless.sign-out': () => ({}),
    'policy.show': () => control.policy,
    'doctor.run': () => ({
      ok: false,
      checks: [
        { id: 'qemu', title: 'QEMU', state: 'ok', found: 'qemu-system-x86_64 7.2.9', fix: '' },
        {
          id: 'kvm',
          title: 'Acceleration',
          state: 'warn',
          found: 'Linux will not let you use hardware acceleration: your account is not in group kvm.',
          fix: 'sudo usermod -aG kvm $USER',
        },
        { id: 'disk', title: 'Disk space', state: 'ok', found: '210 GiB free', fix: '' },
      ],
    }),
    'task.list': () => ({ tasks: world.tasks }),
    'task.cancel': ({ taskId }) => {
      control.change(taskId, { state: 'cancelled', endedAt: Date.now() });
      return {};
    },
    'task.pause': ({ taskId }) => {
      control.change(taskId, { isPaused: true });
      return {};
    },
    'task.resume': ({ taskId }) => {
      control.change(taskId, { isPaused: false });
      return {};
    },
    'file.register': () => refuse('rpc.denied', 'A browser may not name paths.', 'Upload the file.'),
    'console.open': ({ vmId, of }, { emit }) => {
      if (of === 'serial') {
        const base64 = Buffer.from(SERIAL_WORDS).toString('base64');
        emit('serial', vmId, { base64, end: false });
        return {};
      }
      control.openScreen(vmId, (base64, end) => emit('console', vmId, { base64, end }));
      return {};
    },
    'console.send': ({ vmId, of, base64 }, { emit }) => {
      // It says again what is typed.
      if (of === 'serial') emit('serial', vmId, { base64, end: false });
      else control.sendScreen(vmId, base64);
      return {};
    },
    'console.close': ({ vmId, of }) => {
      if (of === 'screen') control.closeScreen(vmId);
      return {};
    },
  };
}
