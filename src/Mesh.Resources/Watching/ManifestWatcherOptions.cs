using System.Collections.Immutable;
using Mesh.Resources.Reading;

namespace Mesh.Resources.Watching;

/// <summary>Intervals of a <see cref="ManifestWatcher"/>.</summary>
public sealed record ManifestWatcherOptions
{
    /// <summary>Quiet time after the last event before the files are read; default 150 ms.</summary>
    public TimeSpan Debounce { get; init; } = TimeSpan.FromMilliseconds(150);

    /// <summary>Time from a first sight of a change to the second, which must be the same, before it counts; default 150 ms.</summary>
    public TimeSpan Settle { get; init; } = TimeSpan.FromMilliseconds(150);

    /// <summary>Longest time that events which keep coming can put off reading; default 500 ms.</summary>
    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Interval of reading without an event; default 2 s.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Gives clusters that come from elsewhere and stand in the place of the directory's own ones of that name; null for none. Called at every reading.</summary>
    public Func<ImmutableArray<ManifestText>>? Overlay { get; init; }

    /// <summary>Regions that gateways elsewhere serve and whose clusters need not be declared here.</summary>
    public ImmutableArray<string> PeerRegions { get; init; } = [];

    /// <summary>Listens to the file system; false leaves it to polling.</summary>
    public bool UseEvents { get; init; } = true;
}
