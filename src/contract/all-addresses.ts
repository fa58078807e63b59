/**
 * Where a command listens on all addresses of its machine: on those of IPv6 and of IPv4, whose clients it then sees as `::ffff:ADDRESS` (RFC 4291,
 * 2.5.5.2). Where the kernel has no IPv6, on those of IPv4 alone.
 */
export const ALL_ADDRESSES = '::';
