namespace Mesh.Core.PrefixCache.Crowds;

/// <summary>
/// Who holds how much of one prompt, found without a look at everybody who holds its beginning: the leading runs that many hold are kept as they are, crowds;
/// of what follows each holder is listed. Valid until the index changes. Not thread-safe.
/// </summary>
/// <param name="endpoints">Endpoints are numbered from 0 to this, exclusive.</param>
internal sealed class PromptHolders(int endpoints) : IPromptHolders
{
    private Run[] _runs = new Run[8];
    private int _runCount;
    private int[] _listed = new int[CrowdTable.MostFew];
    private int _listedCount;

    // By endpoint, of those that are listed; 0 for the others.
    private readonly int[] _held = new int[endpoints];
    private HolderTable? _holders;

    /// <summary>Endpoints are numbered from 0 to this, exclusive.</summary>
    public int Endpoints => _held.Length;

    /// <summary>Endpoints that hold more than what many hold.</summary>
    public ReadOnlySpan<int> Listed => _listed.AsSpan(0, _listedCount);

    /// <summary>True for one of those.</summary>
    public bool IsListed(int endpoint) => _held[endpoint] != 0;

    /// <summary>Blocks that an endpoint which is listed holds.</summary>
    public int OfListed(int endpoint) => _held[endpoint];

    /// <summary>Blocks that an endpoint holds.</summary>
    public int Of(int endpoint) => _held[endpoint] is > 0 and var held ? held : OfCrowds(endpoint);

    /// <summary>Blocks that an endpoint which is not listed holds.</summary>
    public int OfCrowds(int endpoint)
    {
        var held = 0;
        foreach (ref readonly var run in _runs.AsSpan(0, _runCount))
        {
            if (!run.Crowd.Has(endpoint)) break;
            var part = run.Crowd.Partial == 0 ? run.Length : _holders!.Held(_holders.Find(run.Crowd.Node, endpoint));
            held = run.Depth + Math.Min(part, run.Matched);
            if (part < run.Length) break;
        }

        return held;
    }

    /// <summary>What none of these endpoints, those that are listed aside, holds more blocks than.</summary>
    /// <param name="first">First of them, a multiple of their number.</param>
    /// <param name="count">How many, a power of two.</param>
    public int MostOfCrowds(int first, int count)
    {
        var most = 0;
        foreach (ref readonly var run in _runs.AsSpan(0, _runCount))
        {
            if (!run.Crowd.HasAny(first, count)) break;
            most = run.Depth + run.Matched;
        }

        return most;
    }

    /// <summary>Begins with a prompt.</summary>
    public void Start(HolderTable holders)
    {
        foreach (var endpoint in Listed) _held[endpoint] = 0;
        _holders = holders;
        (_runCount, _listedCount) = (0, 0);
    }

    /// <summary>A run that many hold; none is listed yet.</summary>
    public void AddCrowd(Crowd crowd, int depth, int matched, int length)
    {
        if (_runCount == _runs.Length) Array.Resize(ref _runs, 2 * _runCount);
        _runs[_runCount++] = new Run(crowd, depth, matched, length);
    }

    /// <summary>Lists an endpoint that holds everything before, or what it holds now that it is listed.</summary>
    public void List(int endpoint, int held)
    {
        if (_held[endpoint] == 0)
        {
            if (_listedCount == _listed.Length) Array.Resize(ref _listed, 2 * _listedCount);
            _listed[_listedCount++] = endpoint;
        }

        _held[endpoint] = held;
    }

    private readonly record struct Run(Crowd Crowd, int Depth, int Matched, int Length);
}
