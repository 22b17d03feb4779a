using System.Runtime.InteropServices;
using Mesh.Core.Endpoints;
using Mesh.Core.PrefixCache;
using Mesh.Core.Randomness;

namespace Mesh.Core.Scheduling.Pickers;

/// <summary>
/// Takes the same candidate for the same session: <c>argmax hash(session, endpoint)</c>, so that few sessions move when an endpoint comes or goes. The session is the
/// request's affinity key, else its fairness id; a request without either goes anywhere.
/// </summary>
internal sealed class SessionPicker : IEndpointPicker
{
    public string Name => "session";

    public int Pick(in SchedulingContext context, ReadOnlySpan<EndpointState> candidates, ReadOnlySpan<double> scores, Xoshiro256 random)
    {
        var key = context.Request.AffinityKey;
        if (key == 0 && !string.IsNullOrEmpty(context.Request.FairnessId)) key = PromptHasher.SeedOf(MemoryMarshal.AsBytes(context.Request.FairnessId.AsSpan()));
        if (key == 0) return random.NextInt32(candidates.Length);
        return RendezvousHash.Best(candidates, key);
    }
}
