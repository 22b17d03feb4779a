using System.Collections.Immutable;

namespace Mesh.Core.Endpoints;

/// <summary>
/// Every model name that some endpoint of the pool lists, each once: a request's model is looked up once, and every endpoint compares
/// references. A name leaves with the last endpoint that lists it, so that adapters which come and go do not pile up.
/// </summary>
internal sealed class ModelCatalog
{
    private readonly Dictionary<string, ModelName> _byName = new(StringComparer.Ordinal);

    public int Count => _byName.Count;

    /// <summary>Names, in no order.</summary>
    public IEnumerable<string> Names => _byName.Keys;

    /// <summary>Rises with every change.</summary>
    public long Version { get; private set; }

    /// <summary>Endpoints that have told their models.</summary>
    public int Told { get; private set; }

    /// <summary>True if every endpoint that has told its models lists this one, so that none needs to be asked.</summary>
    public bool IsListedByAll(ModelName? model) => (model?.Listings ?? 0) == Told;

    /// <summary>The name, or null when no endpoint lists it.</summary>
    public ModelName? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>Replaces what an endpoint lists; <c>default</c> means not known.</summary>
    public void Assign(EndpointState endpoint, ImmutableArray<string> models)
    {
        var before = endpoint.Models;
        Version++;
        Told += (models.IsDefault ? 0 : 1) - (before is null ? 0 : 1);
        endpoint.Models = models.IsDefault ? null : Acquire(models);
        if (before is not null) Release(before);
    }

    private ModelName[] Acquire(ImmutableArray<string> models)
    {
        var names = new ModelName[models.Length];
        for (var i = 0; i < names.Length; i++)
        {
            if (!_byName.TryGetValue(models[i], out var name)) _byName.Add(models[i], name = new ModelName(models[i]));
            name.Listings++;
            names[i] = name;
        }

        return names;
    }

    private void Release(ModelName[] names)
    {
        foreach (var name in names)
        {
            if (--name.Listings == 0) _byName.Remove(name.Name);
        }
    }
}
