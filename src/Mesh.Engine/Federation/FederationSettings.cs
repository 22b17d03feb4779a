using System.Collections.Immutable;

namespace Mesh.Engine.Federation;

/// <summary>How a gateway keeps in touch with its peers. Each has a default; every range is checked at start.</summary>
public sealed record FederationSettings
{
    /// <summary>Own name.</summary>
    public required string Name { get; init; }

    /// <summary>Own region.</summary>
    public required string Region { get; init; }

    /// <summary>Version of the program, for people.</summary>
    public string Version { get; init; } = "";

    /// <summary>Rises with every start, at least 1; null takes the wall clock.</summary>
    public long? Epoch { get; init; }

    /// <summary>The peers; names and regions are each unique and not the own.</summary>
    public ImmutableArray<PeerAddress> Peers { get; init; } = [];

    /// <summary>Time between two reports, 10 ms to 10 s; 100 ms by default. A big change is reported at once.</summary>
    public TimeSpan ReportInterval { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Least time between two reports, 1 ms to the interval; 10 ms by default.</summary>
    public TimeSpan LeastInterval { get; init; } = TimeSpan.FromMilliseconds(10);

    /// <summary>Intervals without a word after which a link is set up anew, 3–1,000; 10 by default.</summary>
    public int SilentIntervals { get; init; } = 10;

    /// <summary>Time to connect and to be answered, 10 ms to 1 min; 1 s by default, which is four round trips to the other side of the earth.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Pause after the first attempt that failed, 1 ms to the longest; 50 ms by default.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Longest pause between attempts, up to 10 min; 250 ms by default, so that a link that heals is used within 2 s.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Seed of the jitter.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Time without a word after which a link is set up anew.</summary>
    public TimeSpan SilenceLimit => ReportInterval * SilentIntervals;

    /// <summary>Checks every range.</summary>
    /// <exception cref="ArgumentException">A setting is out of its range, or two peers share a name or region; the message says which.</exception>
    public void Validate()
    {
        if (Name.Length is 0 or > PeerIdentity.MaxNameChars) throw new ArgumentException("The own name of a federation is 1–128 characters long.");
        if (Region.Length is 0 or > PeerIdentity.MaxNameChars) throw new ArgumentException("The own region of a federation is 1–128 characters long.");
        Check(ReportInterval, TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(10), nameof(ReportInterval));
        Check(LeastInterval, TimeSpan.FromMilliseconds(1), ReportInterval, nameof(LeastInterval));
        Check(ConnectTimeout, TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(1), nameof(ConnectTimeout));
        Check(LongestPause, TimeSpan.FromMilliseconds(1), TimeSpan.FromMinutes(10), nameof(LongestPause));
        Check(FirstPause, TimeSpan.FromMilliseconds(1), LongestPause, nameof(FirstPause));
        if (Epoch < 1) throw new ArgumentException($"{nameof(Epoch)} is {Epoch}; at least 1.");
        if (SilentIntervals is < 3 or > 1000) throw new ArgumentException($"{nameof(SilentIntervals)} is {SilentIntervals}; 3–1,000.");
        var regions = new Dictionary<string, string>(StringComparer.Ordinal) { [Region] = Name };
        var names = new HashSet<string>(StringComparer.Ordinal) { Name };
        foreach (var peer in Peers)
        {
            if (peer.Urls.IsDefaultOrEmpty) throw new ArgumentException($"Peer '{peer.Name}' has no address.");
            if (!names.Add(peer.Name)) throw new ArgumentException($"Two gateways of the federation are named '{peer.Name}'; each needs a name of its own.");
            if (!regions.TryAdd(peer.Region, peer.Name))
                throw new ArgumentException($"'{regions[peer.Region]}' and '{peer.Name}' both serve region '{peer.Region}'; a region has one member in the federation.");
        }
    }

    private static void Check(TimeSpan value, TimeSpan least, TimeSpan most, string name)
    {
        if (value < least || value > most) throw new ArgumentException($"{name} is {value}; between {least} and {most}.");
    }
}
