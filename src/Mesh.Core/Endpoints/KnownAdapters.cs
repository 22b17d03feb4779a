using System.Collections.Immutable;

namespace Mesh.Core.Endpoints;

/// <summary>
/// Names of LoRA adapters that some endpoint's sample has named. Requests for anything else need no look at adapters. At most
/// <see cref="MaxNames"/>: beyond that a new name is treated as a base model.
/// </summary>
internal sealed class KnownAdapters
{
    public const int MaxNames = 65_536;
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);

    /// <summary>The adapter that a request names; null when its model is none.</summary>
    public string? Find(string? model) => _names.Count > 0 && model is not null && _names.TryGetValue(model, out var known) ? known : null;

    /// <summary>Takes the names in a sample.</summary>
    public void Learn(EndpointSample sample)
    {
        Learn(sample.RunningAdapters);
        Learn(sample.WaitingAdapters);
    }

    private void Learn(ImmutableArray<string> names)
    {
        if (names.IsDefaultOrEmpty) return;
        foreach (var name in names)
        {
            if (_names.Count < MaxNames) _names.Add(name);
        }
    }
}
