using Mesh.Core.Endpoints;
using Mesh.Core.Randomness;
using Mesh.Core.Scheduling;
using Mesh.Core.SpillOver;

namespace Mesh.Core.Routing;

/// <summary>
/// Finds the place of one request: the backend by tiers and fullness, then the endpoint inside it by the scheduling profile. A backend
/// whose endpoints cannot take the request (another model, not in the subset) is passed over for the next.
/// </summary>
internal sealed class Placer(EndpointTable endpoints, Xoshiro256 random)
{
    private readonly SchedulingProfile _profile = BuiltInProfiles.LeastLoad;
    private readonly SchedulingWorkspace _workspace = new();

    /// <summary>Chooses; reserves nothing.</summary>
    /// <param name="context">The request and what was looked up for it.</param>
    /// <param name="backends">The configuration's backends.</param>
    /// <param name="now">Now.</param>
    /// <param name="overfill">Whether a backend at target may be chosen when all are.</param>
    public Placement Place(in SchedulingContext context, BackendTable backends, TimeSpan now, bool overfill)
    {
        if (FindAffine(in context, backends, now) is { } affine) return affine;

        var ruledOut = backends.StartRulingOut();
        var reason = DecisionReason.NoReadyEndpoint;
        for (var tries = 0; tries < ruledOut.Length; tries++)
        {
            var choice = backends.Selector.Select(now, ruledOut);
            if (choice.Kind == ChoiceKind.None) break;
            var picked = _profile.Choose(in context, endpoints.Configured[backends.RangeOf(choice.Backend)], _workspace, random);
            if (picked.Endpoint is { } endpoint)
            {
                // Full, and not merely unable: only for a place that there can be does it make sense to wait.
                if (choice.Kind == ChoiceKind.Overfill && !overfill) return Placement.Full;
                backends.Selector.OnChosen(choice);
                return new Placement(endpoint, ReasonFor(choice.Kind, picked.Reason), choice.Kind is ChoiceKind.FirstTier or ChoiceKind.Overflow);
            }

            // The refusal that says most about the request: reasons are ranked from "nobody is there" to "all have failed it".
            ruledOut[choice.Backend] = true;
            if (Rank(picked.Reason) > Rank(reason)) reason = picked.Reason;
        }
        return Placement.None(reason);
    }

    /// <summary>Lets go of what the configuration before had.</summary>
    public void Forget() => _workspace.Forget();

    private Placement? FindAffine(in SchedulingContext context, BackendTable backends, TimeSpan now)
    {
        var sticky = context.Request.AffinityEndpoint;
        if (sticky.Address is not null)
        {
            // A session that names its endpoint keeps it as long as it serves, whatever the load.
            return endpoints.TryFind(sticky, out var named) && named.BackendIndex >= 0 && _profile.Accepts(in context, named, _workspace)
                ? new Placement(named, DecisionReason.SessionAffinity, backends.Loads[named.BackendIndex].HasRoom(now))
                : null;
        }
        if (context.Request.AffinityKey == 0) return null;

        // The backends that the first request of the session would see: an endpoint of one that is full is no reason to wait.
        var best = -1;
        var bestWeight = 0UL;
        var all = endpoints.Configured;
        foreach (var backend in backends.Selector.FirstUsableTier())
        {
            // Whoever drains a backend wants its sessions to leave, too.
            if (!backends.Selector.IsOpen(backend)) continue;
            var range = backends.RangeOf(backend);
            for (var i = range.Start.Value; i < range.End.Value; i++)
            {
                var weight = Mix(all[i].IdHash ^ context.Request.AffinityKey);
                if (best >= 0 && weight <= bestWeight || !_profile.Accepts(in context, all[i], _workspace)) continue;
                best = i;
                bestWeight = weight;
            }
        }
        if (best < 0 || !backends.Loads[all[best].BackendIndex].HasRoom(now)) return null;
        return new Placement(all[best], DecisionReason.SessionAffinity, WithinTarget: true);
    }

    private static DecisionReason ReasonFor(ChoiceKind kind, DecisionReason picked) => kind switch
    {
        ChoiceKind.Overflow => DecisionReason.Overflow,
        ChoiceKind.Overfill => DecisionReason.Overfill,
        ChoiceKind.LastResort => DecisionReason.LastResort,
        _ => picked,
    };

    private static int Rank(DecisionReason reason) => reason switch
    {
        DecisionReason.AllAttemptsFailed => 2,
        DecisionReason.UnknownModel => 1,
        _ => 0,
    };

    // The finalizer of SplitMix64: rendezvous hashing needs every bit of the sum to count.
    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
