/** Flags that no prop sets, or that all of them set to one value, by command and name in the contract, each with the reason. */
export const UNREACHABLE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  supernode: {
    config: 'its file is made for what no flag says, and all that a supernode needs has a flag',
    listenIp: 'a pod has a network of its own, and answers on all of it',
    port: 'in a network of its own nothing else has the port, which originals know',
    downloadPort: 'the same',
    homeDir: 'the mount of the storage',
    advertiseIp: "the pod's address, from its status",
    debug: 'the same as logLevel',
  },
  dfdaemon: {
    config: 'the mount of the file that proxy is written to',
    node: 'the node file names the supernodes, and changes without new arguments',
    nodeConfig: 'the mount of the ConfigMap',
    hostIp: 'the mirror is for its own node: on another address it would serve everybody',
    peerIp: 'neighbours reach it at the address of its node, which no manifest for all nodes knows',
    advertiseIp: "the node's address, from the pod's status",
    certPem: 'on the loopback of its node TLS would protect nothing, and runtimes would have to trust it',
    keyPem: 'the same',
    debug: 'the same as logLevel',
    registries: 'all that its entries say has a flag, which registries sets',
  },
  'node-mirror': {
    hostRoot: "the mount of the node's root",
    output: 'for people: a Job tells its outcome in its termination message',
    terminationLog: 'where Kubernetes reads it',
    serviceAccount: 'where Kubernetes mounts it',
  },
  'dfget preheat': {
    nodeConfig: 'the supernodes are arguments',
    header: 'would stand in the manifest, where a secret must not be',
    wait: 'a Job ends when its work is done',
    noWait: 'the same',
  },
};
