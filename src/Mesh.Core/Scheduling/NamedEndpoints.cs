using Mesh.Core.Endpoints;
using Mesh.Core.SpillOver;

namespace Mesh.Core.Scheduling;

/// <summary>
/// The endpoints that a request names as the only ones it may go to, in the order in which the configuration has them: filters then look at
/// those few, and find what they would have found among all. Not thread-safe.
/// </summary>
internal sealed class NamedEndpoints(EndpointTable endpoints)
{
    // Where it names more than one in so many, the pass over all of them takes no longer.
    private const int FewShare = 8;
    private EndpointState[] _named = [];
    private int[] _places = [];

    /// <summary>
    /// Those of a range of the configured endpoints that the request names, some of which may not be fit for it. Empty where it names none of them, where it names
    /// too many for that to be of use, and where it may go anywhere: then all are to be looked at. Valid until the next call.
    /// </summary>
    public ReadOnlySpan<EndpointState> In(in SchedulingContext context, BackendTable backends, Range range)
    {
        var subset = context.Request.Subset;
        var (first, count) = range.GetOffsetAndLength(endpoints.Configured.Length);
        if (subset.IsDefaultOrEmpty || subset.Length > count / FewShare) return [];
        if (_named.Length < subset.Length) (_named, _places) = (new EndpointState[subset.Length], new int[subset.Length]);
        var found = 0;
        var mark = endpoints.NextMark();
        foreach (var id in subset)
        {
            if (!endpoints.TryFind(id, out var endpoint) || endpoint.BackendIndex < 0 || endpoint.Mark == mark) continue;
            endpoint.Mark = mark;
            var place = backends.RangeOf(endpoint.BackendIndex).Start.Value + endpoint.IndexInBackend;
            if (place >= first && place < first + count) _places[found++] = place;
        }

        _places.AsSpan(0, found).Sort();
        for (var i = 0; i < found; i++) _named[i] = endpoints.Configured[_places[i]];
        return _named.AsSpan(0, found);
    }
}
