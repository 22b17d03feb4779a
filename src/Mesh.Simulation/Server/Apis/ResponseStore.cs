namespace Mesh.Simulation.Server.Apis;

/// <summary>Responses in memory, as vLLM keeps them; the oldest go when there are too many. Thread-safe.</summary>
internal sealed class ResponseStore
{
    /// <summary>Most responses kept.</summary>
    public const int Capacity = 4096;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, StoredResponse> _byId = new(StringComparer.Ordinal);
    private readonly Queue<string> _order = new();

    public void Add(string id, StoredResponse response)
    {
        lock (_gate)
        {
            if (!_byId.ContainsKey(id)) _order.Enqueue(id);
            _byId[id] = response;
            if (_byId.Count > Capacity) _byId.Remove(_order.Dequeue());
        }
    }

    public StoredResponse? Find(string id)
    {
        lock (_gate) return _byId.GetValueOrDefault(id);
    }
}
