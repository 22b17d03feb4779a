using System.Collections.Immutable;

namespace Mesh.Core.Endpoints;

/// <summary>How ready an endpoint is for a LoRA adapter.</summary>
internal enum AdapterState
{
    /// <summary>Requests with it run there.</summary>
    Active,

    /// <summary>The last requests with it ran there lately enough for its weights to be still in a slot.</summary>
    Loaded,

    /// <summary>It can be loaded at once.</summary>
    FreeSlot,

    /// <summary>Requests with it wait there for a slot.</summary>
    Waiting,

    /// <summary>Every slot belongs to another.</summary>
    Full,
}

/// <summary>
/// The LoRA adapters of one endpoint: those of the requests that are in flight there, which the router knows exactly, those that ran last
/// and that nothing has pushed out of their slots since, and those that its last sample names while it counts. A batch holds few, so that
/// lists are walked.
/// </summary>
internal sealed class EndpointAdapters
{
    // Remembered of a server that does not tell how many slots it has.
    private const int AssumedSlots = 8;
    // The one used last comes last.
    private readonly List<(string Name, int Requests)> _used = [];
    private int _slots = AssumedSlots;

    /// <summary>Adapters of requests in flight, and those that ran last.</summary>
    public int Count => _used.Count;

    /// <summary>Name of one of them.</summary>
    public string this[int index] => _used[index].Name;

    public void Add(string adapter)
    {
        var index = IndexOf(adapter);
        var requests = index < 0 ? 0 : _used[index].Requests;
        if (index >= 0) _used.RemoveAt(index);
        _used.Add((adapter, requests + 1));
        ForgetOldest();
    }

    public void Remove(string adapter)
    {
        var index = IndexOf(adapter);
        _used[index] = (adapter, _used[index].Requests - 1);
        ForgetOldest();
    }

    /// <summary>Requests with an adapter that are in flight.</summary>
    public int RequestsOf(string adapter) => IndexOf(adapter) is >= 0 and var index ? _used[index].Requests : 0;

    /// <summary>The engine has been restarted: what has no request in flight is not there any more.</summary>
    public void ForgetLoaded() => _used.RemoveAll(static a => a.Requests == 0);

    /// <summary>State of an adapter. Where the number of slots is not known, one is taken to be free.</summary>
    /// <param name="adapter">The adapter.</param>
    /// <param name="sample">Last sample; null when it no longer counts.</param>
    public AdapterState StateOf(string adapter, EndpointSample? sample)
    {
        var index = IndexOf(adapter);
        if (index >= 0 && _used[index].Requests > 0) return AdapterState.Active;
        var free = index >= 0 ? AdapterState.Loaded : AdapterState.FreeSlot;
        if (sample is null) return free;
        if (Contains(sample.RunningAdapters, adapter)) return AdapterState.Active;
        if (sample.MaxLoras is not { } slots) return free;
        _slots = slots;
        var running = sample.RunningAdapters.IsDefault ? 0 : sample.RunningAdapters.Length;
        foreach (var (name, requests) in _used)
        {
            if (requests > 0 && !Contains(sample.RunningAdapters, name)) running++;
        }
        if (running < slots) return free;
        return Contains(sample.WaitingAdapters, adapter) ? AdapterState.Waiting : AdapterState.Full;
    }

    // A slot is taken from the adapter that was used longest ago, never from one that is in use.
    private void ForgetOldest()
    {
        for (var i = 0; i < _used.Count && _used.Count > _slots; i++)
        {
            if (_used[i].Requests == 0) _used.RemoveAt(i--);
        }
    }

    private static bool Contains(ImmutableArray<string> names, string name)
    {
        if (names.IsDefaultOrEmpty) return false;
        foreach (var other in names)
        {
            if (other == name) return true;
        }
        return false;
    }

    private int IndexOf(string adapter)
    {
        for (var i = 0; i < _used.Count; i++)
        {
            if (_used[i].Name == adapter) return i;
        }
        return -1;
    }
}
