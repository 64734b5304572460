/** A run of more queries is not evaluated together with those of others. */
export const HEAVY_QUERIES = 500;
/** After so many runs by itself a tenant is tried among the others again. */
const RUNS_APART = 20;

/** Tenants whose runs are evaluated one by one beside the others', so that nobody waits for them. */
export class HeavyTenants {
  private readonly runsLeft = new Map<string, number>();

  has(tenantId: string): boolean {
    return this.runsLeft.has(tenantId);
  }

  add(tenantId: string): void {
    this.runsLeft.set(tenantId, RUNS_APART);
  }

  /** One of its runs was evaluated. */
  count(tenantId: string): void {
    const left = (this.runsLeft.get(tenantId) ?? 1) - 1;
    if (left === 0) this.runsLeft.delete(tenantId);
    else this.runsLeft.set(tenantId, left);
  }
}
