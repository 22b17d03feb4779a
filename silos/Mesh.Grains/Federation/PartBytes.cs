using Mesh.Core.Regions.Reports;
using Mesh.Engine.Federation.Frames;

namespace Mesh.Grains.Federation;

/// <summary>A pool's part of a report between grains, in the form that it has between regions: readers of another release pass over what they do not know.</summary>
internal static class PartBytes
{
    public static byte[] Write(PoolReport part)
    {
        var scratch = new ByteWriter();
        var sections = PoolSections.Write([part], scratch);
        scratch.Clear();
        sections.WriteChanges(ReportSections.Empty, scratch);
        return scratch.Written.ToArray();
    }

    /// <exception cref="InvalidDataException">The bytes are not of the form.</exception>
    public static PoolReport? Read(ReadOnlySpan<byte> bytes)
    {
        var reader = new ByteReader(bytes);
        return PoolSections.Read(ReportSections.Empty.ReadChanges(ref reader)) is [var part, ..] ? part : null;
    }
}
