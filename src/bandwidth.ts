const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

/** An amount of data a second, of at least one byte. */
export class Bandwidth {
  /**
   * @param amount bytes a second
   */
  public static bytesPerSecond(amount: number): Bandwidth {
    return new Bandwidth(amount, 1, 'B/s');
  }

  /**
   * @param amount units of 1,024 bytes a second
   */
  public static kibibytesPerSecond(amount: number): Bandwidth {
    return new Bandwidth(amount, KIB, 'KiB/s');
  }

  /**
   * @param amount units of 1,048,576 bytes a second
   */
  public static mebibytesPerSecond(amount: number): Bandwidth {
    return new Bandwidth(amount, MIB, 'MiB/s');
  }

  /**
   * @param amount units of 1,073,741,824 bytes a second
   */
  public static gibibytesPerSecond(amount: number): Bandwidth {
    return new Bandwidth(amount, GIB, 'GiB/s');
  }

  /**
   * @param amount units of 1,000,000 bits a second, as links are sold
   */
  public static megabitsPerSecond(amount: number): Bandwidth {
    return new Bandwidth(amount, 125_000, 'Mbit/s');
  }

  private constructor(
    private readonly amount: number,
    private readonly unitBytes: number,
    private readonly unit: string,
  ) {
    const bytes = amount * unitBytes;
    if (!Number.isSafeInteger(bytes) || bytes < 1) {
      throw new Error(
        `a bandwidth of ${this.asString()} is none: use a whole number of bytes a second, at least 1; for no limit leave the prop out.`,
      );
    }
  }

  /** The amount with its unit, as it was given. */
  public asString(): string {
    return `${this.amount} ${this.unit}`;
  }

  /** Bytes a second. */
  public toBytesPerSecond(): number {
    return this.amount * this.unitBytes;
  }

  /**
   * MiB a second.
   *
   * @throws Error when it is no whole number.
   */
  public toMebibytesPerSecond(): number {
    const amount = this.toBytesPerSecond() / MIB;
    if (!Number.isInteger(amount)) {
      throw new Error(`${this.asString()} is no whole number of MiB a second: use Bandwidth.mebibytesPerSecond(n).`);
    }
    return amount;
  }
}
