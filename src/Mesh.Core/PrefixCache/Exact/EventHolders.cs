using Mesh.Core.PrefixCache.Crowds;

namespace Mesh.Core.PrefixCache.Exact;

/// <summary>
/// Who holds how much of one prompt where cache events tell it: what <see cref="EventKnowledge.Overlay"/> writes for every endpoint, worked out for those
/// that are looked at. Valid until what is known changes. Not thread-safe.
/// </summary>
/// <param name="events">What the events tell.</param>
internal sealed class EventHolders(EventKnowledge events) : IPromptHolders
{
    private readonly LeadingBlocks _gpu = new();
    private readonly LeadingBlocks _any = new();
    private PromptHolders? _newer;
    private PromptHolders? _older;
    private PromptHolders? _history;
    private bool _hasTiers;
    private bool _hasRecent;
    private int _mapped;

    // Nobody: who holds more than others is known by the bits, too.
    public ReadOnlySpan<int> Listed => [];

    private FeedColumns Columns => events.Index.Columns;

    public bool IsListed(int endpoint) => false;

    public int OfListed(int endpoint) => Of(endpoint);

    public int OfCrowds(int endpoint) => Of(endpoint);

    public int Of(int endpoint)
    {
        var (exact, isComplete) = (0, false);
        var columns = Columns.Near(endpoint);
        for (var column = columns.First; column < columns.End; column++)
        {
            if (Columns[column] is null) continue;
            var gpu = _gpu.Of(column);
            var any = _hasTiers ? _any.Of(column) : gpu;
            exact = Math.Max(exact, events.Worth(gpu, any));
            isComplete |= any == _mapped;
        }

        return events.Together(endpoint, exact, isComplete, _mapped, _history?.Of(endpoint) ?? 0, _hasRecent ? Math.Max(_newer!.Of(endpoint), _older!.Of(endpoint)) : 0);
    }

    public int MostOfCrowds(int first, int count)
    {
        var most = (_hasTiers ? _any : _gpu).Most(first << Columns.Shift, count << Columns.Shift);
        if (_hasRecent) most = Math.Max(most, Math.Max(MostOf(_newer!, first, count), MostOf(_older!, first, count)));
        if (_history is null) return most;
        var believed = MostOf(_history, first, count);
        // Of an exact endpoint history tells only what comes after all that is mapped.
        return believed > _mapped || !events.AreAllExact(_history.Endpoints) ? Math.Max(most, believed) : most;
    }

    /// <summary>Begins with a prompt.</summary>
    /// <param name="chain">The gateway's chained hashes.</param>
    /// <param name="history">What history says of it; null for nothing.</param>
    /// <param name="slots">Endpoints have slots below this.</param>
    /// <param name="nowMs">Now.</param>
    public void Start(ReadOnlySpan<ulong> chain, PromptHolders? history, int slots, double nowMs)
    {
        _history = history;
        _hasTiers = events.Index.Places.HasTiers;
        _mapped = events.Index.Places.Look(chain, _gpu, _hasTiers ? _any : null);
        _hasRecent = events.Recent is { } recent && recent.EndpointCapacity >= slots;
        if (!_hasRecent) return;
        if (_newer is null || _newer.Endpoints < slots) (_newer, _older) = (new PromptHolders(slots), new PromptHolders(slots));
        events.Recent!.Look(chain, _newer, _older!, nowMs);
    }

    private static int MostOf(PromptHolders holders, int first, int count)
    {
        var most = holders.MostOfCrowds(first, count);
        foreach (var endpoint in holders.Listed)
        {
            if (endpoint >= first && endpoint < first + count) most = Math.Max(most, holders.OfListed(endpoint));
        }

        return most;
    }
}
