namespace Mesh.Engine.Federation.Frames;

/// <summary>
/// One event of a report stream: the changes since the event before on the same stream, or all sections when it is the first, and what
/// holds of this link alone. Times in it are spans measured by the sender, so that clocks need not agree.
/// </summary>
internal sealed record ReportFrame
{
    /// <summary>Version of the form; a peer of another one is refused.</summary>
    public const int Protocol = 1;

    private const int MaxHashBytes = 128;
    private const int MaxNameBytes = 256;

    /// <summary>Number on this stream, from 1.</summary>
    public required long Sequence { get; init; }

    /// <summary>Number of the reader's own last event that the sender has heard; 0 when it has heard none.</summary>
    public long HeardSequence { get; init; }

    /// <summary>Which start of the reader that event came from.</summary>
    public long HeardEpoch { get; init; }

    /// <summary>How long ago the sender heard it.</summary>
    public TimeSpan HeardAgo { get; init; }

    /// <summary>The configuration that the sender goes by.</summary>
    public ConfigTag Config { get; init; } = ConfigTag.None;

    /// <summary>True when the sections are all there are and not only those that changed.</summary>
    public bool IsFull { get; init; }

    /// <summary>The report after this event.</summary>
    public ReportSections Sections { get; init; } = ReportSections.Empty;

    /// <summary>Writes the event.</summary>
    /// <param name="before">The report as the reader has it.</param>
    /// <param name="writer">Gets the bytes.</param>
    public void Write(ReportSections before, ByteWriter writer)
    {
        writer.Byte(Protocol);
        writer.Byte(IsFull ? (byte)1 : (byte)0);
        writer.Count(Sequence);
        writer.Count(HeardSequence);
        writer.Count(HeardEpoch);
        writer.Count((long)(HeardAgo.TotalMilliseconds * 1000));
        writer.Text(Config.Cluster);
        writer.Text(Config.Origin);
        writer.Count(Config.Version);
        writer.Text(Config.Hash);
        Sections.WriteChanges(IsFull ? ReportSections.Empty : before, writer);
    }

    /// <summary>Reads an event.</summary>
    /// <param name="bytes">Its bytes.</param>
    /// <param name="before">The report as it was before.</param>
    /// <exception cref="InvalidDataException">They are not of the form.</exception>
    public static ReportFrame Read(ReadOnlySpan<byte> bytes, ReportSections before)
    {
        var reader = new ByteReader(bytes);
        var protocol = reader.Byte();
        if (protocol != Protocol) throw new InvalidDataException($"The report is of version {protocol}; version {Protocol} is understood.");
        var isFull = reader.Byte() == 1;
        return new ReportFrame
        {
            IsFull = isFull,
            Sequence = (long)reader.Number(),
            HeardSequence = (long)reader.Number(),
            HeardEpoch = (long)reader.Number(),
            HeardAgo = TimeSpan.FromMicroseconds((long)Math.Min(reader.Number(), 86_400_000_000UL)),
            Config = new ConfigTag(reader.Text(MaxNameBytes), reader.Text(MaxNameBytes), (long)reader.Number(), reader.Text(MaxHashBytes)),
            Sections = (isFull ? ReportSections.Empty : before).ReadChanges(ref reader),
        };
    }
}
