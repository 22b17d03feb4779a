using Mesh.Engine;
using Mesh.Gateway.Admin.Journal;
using Mesh.Gateway.Hosting;

namespace Mesh.Gateway.Admin.Views;

/// <summary>Reads the state of the mesh, for all that ask within <see cref="MaxAge"/> once. Thread-safe.</summary>
internal sealed class MeshReader(IMeshEngine engine, ActiveConfiguration configuration, ConfigurationJournal journal, TimeProvider time)
{
    /// <summary>Age up to which a reading is handed out again: many that ask at once cost one copy.</summary>
    public static readonly TimeSpan MaxAge = TimeSpan.FromMilliseconds(200);

    private readonly Lock _gate = new();
    private MeshReading? _last;

    /// <summary>The state of the mesh.</summary>
    public MeshReading Read()
    {
        lock (_gate)
        {
            if (_last is { } last && time.GetElapsedTime(last.Timestamp) < MaxAge && ReferenceEquals(last.Routing, configuration.Current)) return last;
            return _last = new MeshReading(engine.Snapshot(), configuration.Current, journal.Effective, time.GetTimestamp(), time.GetUtcNow());
        }
    }
}
