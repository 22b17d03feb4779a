namespace Mesh.Simulation.Server;

/// <summary>A model as the engine knows it.</summary>
/// <param name="Name">Served name.</param>
/// <param name="LoraId">Adapter number, 1 or more; 0 for a base model.</param>
internal sealed record ServedModel(string Name, int LoraId);

/// <summary>Names that are served, and the answer of <c>/v1/models</c>. Immutable.</summary>
internal sealed class ModelCatalog
{
    private readonly Dictionary<string, ServedModel> _byName = new(StringComparer.Ordinal);
    private readonly List<string> _adapters = [];

    public ModelCatalog(IReadOnlyList<SimulatedModel> models, int maxModelLen, long createdSeconds)
    {
        foreach (var model in models)
        {
            if (model.Parent is not null) _adapters.Add(model.Name);
            _byName.Add(model.Name, new ServedModel(model.Name, model.Parent is null ? 0 : _adapters.Count));
        }

        Default = _byName[models.First(m => m.Parent is null).Name];
        ListJson = WriteList(models, maxModelLen, createdSeconds);
    }

    /// <summary>Model of a request that names none.</summary>
    public ServedModel Default { get; }

    /// <summary>Body of <c>GET /v1/models</c>.</summary>
    public byte[] ListJson { get; }

    public bool HasAdapters => _adapters.Count > 0;

    public string AdapterName(int loraId) => _adapters[loraId - 1];

    public ServedModel? Find(string? name) => string.IsNullOrEmpty(name) ? Default : _byName.GetValueOrDefault(name);

    private byte[] WriteList(IReadOnlyList<SimulatedModel> models, int maxModelLen, long createdSeconds)
    {
        using var buffer = new PooledBuffer();
        using (var json = Json.Writer(buffer))
        {
            json.WriteStartObject();
            json.WriteString("object"u8, "list"u8);
            json.WriteStartArray("data"u8);
            foreach (var model in models)
            {
                json.WriteStartObject();
                json.WriteString("id"u8, model.Name);
                json.WriteString("object"u8, "model"u8);
                json.WriteNumber("created"u8, createdSeconds);
                json.WriteString("owned_by"u8, "vllm"u8);
                json.WriteString("root"u8, model.Parent is null ? Default.Name : model.Name);
                json.WriteString("parent"u8, model.Parent);
                if (model.Parent is null) json.WriteNumber("max_model_len"u8, maxModelLen);
                else json.WriteNull("max_model_len"u8);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return buffer.Written.ToArray();
    }
}
