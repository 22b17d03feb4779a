using Mesh.Core.Config;

namespace Mesh.Core.SpillOver;

/// <summary>
/// Chooses the backend of one request: tier by tier, within a tier one that has room, and when all are at target the least overfull.
/// </summary>
internal sealed class BackendSelector(TierPlan plan, BackendLoad[] backends, TrafficDistributionConfig settings)
{
    private readonly CapacityDrain _drain = new(backends.Length);
    private double _foremostPass;
    private double _foremostStride;

    /// <summary>True while auto-capacity drain keeps new requests away from the backend.</summary>
    public bool IsDrained(int backend) => _drain.IsDrained(backend);

    /// <summary>True if the backend may get new requests at all: it has a healthy endpoint and is not drained, by its policy or for its health.</summary>
    public bool IsOpen(int backend) => IsUsable(backend) && !_drain.IsDrained(backend);

    /// <summary>Judges health anew; call when a backend's healthy count changed, and at every tick. True if a drain state changed.</summary>
    public bool UpdateDrain(TimeSpan now)
    {
        if (!settings.AutoCapacityDrain) return false;
        var changed = false;
        for (var i = 0; i < backends.Length; i++) changed |= _drain.Update(i, backends[i].HealthyCount, backends[i].UnknownCount, backends[i].EndpointCount, now);
        return changed;
    }

    /// <summary>Takes over the drain states of the configuration before, so that an edit does not end a hold.</summary>
    /// <param name="before">Selector of the configuration before.</param>
    /// <param name="indexBefore">For each backend its index there; −1 for a new one.</param>
    public void CarryFrom(BackendSelector before, ReadOnlySpan<int> indexBefore)
    {
        // Turned off, it lets go at once.
        if (settings.AutoCapacityDrain) _drain.CarryFrom(before._drain, indexBefore);
    }

    /// <summary>Backends of the first tier that has a usable one; empty when no tier has.</summary>
    public ReadOnlySpan<int> FirstUsableTier()
    {
        foreach (var tier in plan.Tiers)
        {
            foreach (var i in tier)
            {
                if (IsOpen(i)) return tier;
            }
        }
        return [];
    }

    /// <summary>True if some backend could take a request without overfilling: one within its targets, or one drained for its health when no other is left.</summary>
    public bool HasRoom(TimeSpan now)
    {
        var (open, drained) = (false, false);
        for (var i = 0; i < backends.Length; i++)
        {
            if (!IsUsable(i)) continue;
            if (_drain.IsDrained(i))
            {
                drained = true;
                continue;
            }
            if (backends[i].HasRoom(now)) return true;
            open = true;
        }
        return drained && !open;
    }

    /// <summary>True if a preferred backend could take a request within its targets.</summary>
    public bool HasPreferredRoom(TimeSpan now)
    {
        for (var i = 0; i < backends.Length; i++)
        {
            if (backends[i].Config.Settings.Preference == BackendPreference.Preferred && IsOpen(i) && backends[i].HasRoom(now)) return true;
        }
        return false;
    }

    /// <summary>Chooses a backend; nothing is counted until <see cref="OnChosen"/>.</summary>
    /// <param name="now">Now.</param>
    /// <param name="ruledOut">Backends without a candidate for this request, by index.</param>
    public BackendChoice Select(TimeSpan now, ReadOnlySpan<bool> ruledOut)
    {
        var declined = BackendChoice.None;
        for (var tier = 0; tier < plan.Tiers.Length; tier++)
        {
            var best = BestWithRoom(plan.Tiers[tier], now, ruledOut);
            if (best < 0) continue;
            var choice = new BackendChoice(best, tier, tier == 0 ? ChoiceKind.FirstTier : ChoiceKind.Overflow);
            if (backends[best].KeepsNext(settings.FailoverHealthThreshold)) return choice;
            if (declined.Kind == ChoiceKind.None) declined = choice;
        }
        // What a backend passes on for its poor health comes back when no other has room.
        if (declined.Kind != ChoiceKind.None) return declined with { PassesOn = true };

        var overfull = LeastOverfull(now, ruledOut, drained: false);
        if (overfull >= 0) return new BackendChoice(overfull, -1, ChoiceKind.Overfill);
        // Better a poor backend than none: what auto-capacity drain emptied still serves when nothing else can.
        var last = LeastOverfull(now, ruledOut, drained: true);
        return last >= 0 ? new BackendChoice(last, -1, ChoiceKind.LastResort) : BackendChoice.None;
    }

    /// <summary>
    /// Counts the choice for sharing in proportion: the chosen backend's pass rises by 1/weight. One that was not asked for a while may
    /// lag the foremost by a few requests at most, so that it gets no burst for its past.
    /// </summary>
    public void OnChosen(in BackendChoice choice)
    {
        var backend = backends[choice.Backend];
        var stride = 1 / Math.Max(1e-9, backend.Weight);
        backend.Pass = Math.Max(backend.Pass, _foremostPass - _foremostStride - 2 * stride) + stride;
        if (backend.Pass < _foremostPass) return;
        _foremostPass = backend.Pass;
        _foremostStride = stride;
    }

    private int BestWithRoom(int[] tier, TimeSpan now, ReadOnlySpan<bool> ruledOut)
    {
        var best = -1;
        foreach (var i in tier)
        {
            if (ruledOut[i] || !IsOpen(i) || !backends[i].HasRoom(now)) continue;
            if (best < 0 || IsLess(i, best, now)) best = i;
        }
        return best;
    }

    private int LeastOverfull(TimeSpan now, ReadOnlySpan<bool> ruledOut, bool drained)
    {
        var best = -1;
        for (var i = 0; i < backends.Length; i++)
        {
            if (ruledOut[i] || !IsUsable(i) || _drain.IsDrained(i) != drained) continue;
            if (best < 0 || IsLess(i, best, now)) best = i;
        }
        return best;
    }

    private bool IsUsable(int backend) => backends[backend].HealthyCount > 0 && backends[backend].Config.Settings.CapacityScaler > 0;

    private bool IsLess(int candidate, int best, TimeSpan now)
    {
        if (!SharesByPass(candidate) && !SharesByPass(best))
        {
            var order = backends[candidate].ComparableLoad(now).CompareTo(backends[best].ComparableLoad(now));
            if (order != 0) return order < 0;
        }
        return backends[candidate].Pass < backends[best].Pass;
    }

    // Rates have no level to compare that reacts at once; spraying asks for shares by definition.
    private bool SharesByPass(int backend) =>
        backends[backend].RateTarget is not null
        || settings.Algorithm == ServiceLbAlgorithm.SprayToRegion;
}
